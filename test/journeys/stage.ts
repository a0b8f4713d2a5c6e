import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inflateSync } from 'node:zlib'
import { type City as Connection, connectCity, type TrustAnchors } from '@tillit/client'
import { generatePrivateJwk, type Signer, signerFromJwk } from '@tillit/keys'
import { type City, startCity } from '../../services/standalone/src/compose.ts'
import type { Config } from '../../services/standalone/src/config.ts'
import { connect } from '../../services/standalone/src/demonstration/seed.ts'
import { type Identity, openIdentity, type PortableIdentity } from '../../services/standalone/src/identities.ts'
import { freePort } from './free-port.ts'
import { listedWallets, type WalletMaker, walletMakers } from './wallets.ts'

/** A throw-away city with nothing in it but its root of trust, and the people and organisations who will play. */
export interface Stage {
  city: City
  config: Config
  /** Asks as nobody in particular. */
  anyone: Connection
  registrar: Connection
  utility: Connection
  adviser: PortableIdentity
  analyst: Identity
  as(identity: Identity): Connection
  newIdentity(name: string): Promise<PortableIdentity>
  /** The wallets with which each journey is played. */
  wallets: readonly WalletMaker[]
  /** A wallet key outside of any browser. */
  newWallet(): Promise<Signer>
  trust(): TrustAnchors
  close(): Promise<void>
}

/** Anchors often, so that a play does not wait for the ledger. */
const anchorIntervalSeconds = 2

export async function openStage(options: { databaseUrl?: string } = {}): Promise<Stage> {
  const folder = await mkdtemp(join(tmpdir(), 'tillit-stage-'))
  await chmod(folder, 0o755)
  const port = await freePort()
  const walletsFile = join(folder, 'wallets.json')
  const walletProvider = await signerFromJwk(await generatePrivateJwk('ES256'))
  await writeFile(walletsFile, JSON.stringify(listedWallets(walletProvider)))
  const config: Config = {
    environment: 'development',
    host: '127.0.0.1',
    port,
    publicUrl: `http://127.0.0.1:${port}`,
    didHost: `localhost:${port}`,
    didForeignHosts: [],
    dataDir: join(folder, 'city'),
    keyPassphraseFile: null,
    vcApiIssuers: [],
    keyAttestersFile: null,
    walletsFile,
    verifierCertificateFile: null,
    token: null,
    databaseUrl: options.databaseUrl ?? null,
    ledgerRpcUrl: null,
    ledgerPrivateKey: null,
    ledgerFormerPrivateKey: null,
    ledgerContract: null,
    ledgerChain: null,
    ledgerConfirmations: null,
    ledgerMaxFeeWei: null,
    witnessPolicyFile: null,
    ownWitnesses: [],
    anchorIntervalSeconds,
    registrar: { legalName: 'Nordhavn kommune', registrationNumber: 'NO 900 000 001', country: 'NO' },
    demonstration: true,
    logLevel: 'error',
  }
  const city = await startCity(config, { onEvent: () => undefined })
  const newIdentity = (name: string) =>
    openIdentity(city.keys, name, { host: config.didHost, slug: name, now: new Date() })
  return {
    city,
    config,
    anyone: connectCity({ url: city.url }),
    registrar: connect(city, city.registrar),
    utility: connect(city, city.utility),
    adviser: await newIdentity('adviser'),
    analyst: await newIdentity('analyst'),
    as: (identity) => connect(city, identity),
    newIdentity,
    wallets: walletMakers(walletProvider),
    newWallet: async () => signerFromJwk(await generatePrivateJwk()),
    trust: () => trustOf({ registrar: city.registrar.did, authority: city.authority.did }),
    close: async () => {
      await city.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** What somebody who trusts these two needs to verify a credential now. */
export function trustOf(roots: { registrar: string; authority: string }): TrustAnchors {
  return {
    ...roots,
    inflate: (bytes, maxBytes) => new Uint8Array(inflateSync(bytes, { maxOutputLength: maxBytes })),
    now: new Date(),
  }
}
