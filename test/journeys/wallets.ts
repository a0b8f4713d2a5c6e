import { connectCity, createMemoryWalletStore, openWallet, resolveThrough } from '@tillit/client'
import { generatePrivateJwk, type Signer, signerFromJwk, signJws, toPublicJwk } from '@tillit/keys'
import type { PortableIdentity } from '../../services/standalone/src/identities.ts'
import { IndependentWallet } from '../packages/independent-wallet/independent-wallet.ts'

export const redirectUri = 'https://wallet.example/received'
const attestedId = 'https://attested-wallet.example'
const plainId = 'https://wallet.example'

/** The wallets as the city's operator lists them: ours has to show an attestation by its provider, as HAIP 1.0 asks. */
export function listedWallets({ publicKey }: Signer): object[] {
  const attestationKeys = [{ ...toPublicJwk(publicKey), kid: 'provider-1' }]
  return [
    { client_id: attestedId, name: 'Attested', redirect_uris: [redirectUri], attestation_keys: attestationKeys },
    { client_id: plainId, name: 'Plain', redirect_uris: [redirectUri] },
  ]
}

/** A wallet as the journeys use one. What it gives are credentials as it keeps them. */
export interface JourneyWallet {
  receiveOffer(link: string, txCode: string): Promise<string[]>
  /** `browse` takes the person's browser to an address and gives where it was sent back to. */
  receiveInBrowser(link: string, browse: (url: string) => Promise<string>): Promise<string[]>
  /** For a holder that is a DID. */
  receiveOwn(configurationId: string): Promise<string[]>
  /** Answers a verifier with what was received last. */
  present(link: string): Promise<void>
}

export interface WalletMaker {
  name: string
  open(cityUrl: string, identity?: PortableIdentity): Promise<JourneyWallet>
}

/** Every journey with wallets is played with each of these. `provider` attests ours. */
export function walletMakers(provider: Signer): readonly WalletMaker[] {
  return [
    { name: 'the wallet of @tillit/client', open: (url, identity) => openOwnWallet(provider, url, identity) },
    { name: 'a wallet on @openid4vc', open: async (url, identity) => openIndependentWallet(url, identity) },
  ]
}

async function openOwnWallet(provider: Signer, cityUrl: string, identity?: PortableIdentity): Promise<JourneyWallet> {
  const city = connectCity({ url: cityUrl })
  const instanceKey = await signerFromJwk(await generatePrivateJwk('ES256'))
  const attestation = { instanceKey, jwt: () => attest(provider, instanceKey) }
  const wallet = openWallet({
    store: createMemoryWalletStore(),
    resolveDid: (did, options) => resolveThrough(city, did, options),
    client: { clientId: attestedId, redirectUri, attestation },
    ...(identity === undefined ? {} : { identity }),
  })
  return {
    async receiveOffer(link, txCode) {
      const { credentials } = await wallet.receive(await wallet.openOffer(link), { txCode })
      return credentials.map(({ credential }) => credential)
    },
    async receiveInBrowser(link, browse) {
      const { url, pending } = await wallet.beginInBrowser(await wallet.openOffer(link))
      const { credentials } = await wallet.finishInBrowser(pending, await browse(url))
      return credentials.map(({ credential }) => credential)
    },
    async receiveOwn(configurationId) {
      const { credentials } = await wallet.receiveOwn(cityUrl, [configurationId])
      return credentials.map(({ credential }) => credential)
    },
    async present(link) {
      await wallet.present(await wallet.openRequest(link))
    },
  }
}

function openIndependentWallet(cityUrl: string, identity?: PortableIdentity): JourneyWallet {
  const wallet = new IndependentWallet({
    resolverUrl: cityUrl,
    client: { clientId: plainId, redirectUri },
    ...(identity === undefined
      ? {}
      : { identity: { did: identity.did, didUrl: identity.keyId, privateJwk: identity.privateJwk } }),
  })
  const texts = (held: readonly { credential: string }[]) => held.map(({ credential }) => credential)
  return {
    receiveOffer: async (link, txCode) => texts(await wallet.receiveOffer(link, txCode)),
    receiveInBrowser: async (link, browse) => texts(await wallet.receiveByAuthorizationCode(link, browse)),
    receiveOwn: async (configurationId) => texts(await wallet.receiveOwn(cityUrl, configurationId)),
    async present(link) {
      const newest = wallet.held.at(-1)
      if (newest === undefined) throw new Error('the wallet holds nothing')
      await wallet.present(link, newest)
    },
  }
}

/** What a wallet's provider says of one of its wallets, for an hour. */
function attest(provider: Signer, instanceKey: Signer): Promise<string> {
  const iat = Math.floor(Date.now() / 1000)
  const claims = { sub: attestedId, iat, exp: iat + 3600, cnf: { jwk: toPublicJwk(instanceKey.publicKey) } }
  return signJws({ typ: 'oauth-client-attestation+jwt', kid: 'provider-1' }, claims, provider)
}
