import { readFile } from 'node:fs/promises'
import {
  type ClientIdentity,
  createDocumentStore,
  openWallet,
  resolveThrough,
  type Wallet,
  type WalletDocument,
} from '@tillit/client'
import { signerFromJwk } from '@tillit/keys'
import { cityAt } from '../city-at.ts'
import { writePrivately } from '../did/key-file.ts'
import { readIdentity } from '../identity.ts'
import { UsageError } from '../usage-error.ts'

/** What every command of a wallet takes. */
export const walletOptions = {
  store: { type: 'string', default: 'wallet.json' },
  identity: { type: 'string' },
  city: { type: 'string', default: 'http://127.0.0.1:8080' },
  json: { type: 'boolean', default: false },
} as const

export const walletOptionsUsage = `  --store     the wallet's file, with its keys: keep it secret, keep a copy (wallet.json)
  --identity  the holder is the DID of this file (an organisation, a device), and its key signs
  --city      the city whose resolver is asked for DIDs (http://127.0.0.1:8080)
  --json      print JSON`

export interface WalletValues {
  store: string
  identity?: string | undefined
  city: string
}

/** The wallet in a file that only its owner may read; the file is made with the first thing that is kept. */
export async function openWalletFile({ store, identity, city }: WalletValues): Promise<Wallet> {
  const resolver = cityAt(city)
  return openWallet({
    store: createDocumentStore({ load: () => readDocument(store), save: (document) => write(store, document) }),
    resolveDid: (did, options) => resolveThrough(resolver, did, options),
    ...(identity === undefined ? {} : { identity: await identityIn(identity) }),
  })
}

async function identityIn(file: string): Promise<ClientIdentity> {
  const { did, key_id: keyId, private_jwk: jwk } = await readIdentity(file, '')
  return { did, keyId, signer: await signerFromJwk(jwk) }
}

async function readDocument(path: string): Promise<WalletDocument | null> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw error
  }
  try {
    const document = JSON.parse(text) as Partial<WalletDocument> | null
    if (Array.isArray(document?.keys) && Array.isArray(document.credentials) && Array.isArray(document.deferred))
      return { keys: document.keys, credentials: document.credentials, deferred: document.deferred }
  } catch (cause) {
    throw new UsageError(`${path} cannot be read as a wallet. Name another file with --store FILE.`, { cause })
  }
  throw new UsageError(`${path} is not a wallet. Name another file with --store FILE.`)
}

function write(path: string, document: WalletDocument): Promise<void> {
  return writePrivately(path, `${JSON.stringify(document, null, 2)}\n`)
}
