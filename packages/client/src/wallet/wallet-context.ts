import type { ResolveDid } from '@tillit/credential'
import type { Signer } from '@tillit/keys'
import type { PublicJwk } from '@tillit/schemas'
import type { ClientIdentity } from '../city.ts'
import type { KeyAlgorithm, WalletStore } from './wallet-store.ts'

/** What a wallet needs of its surroundings. */
export interface WalletContext {
  readonly store: WalletStore
  /** Issuers and verifiers are known by DIDs; this decides which hosts may be asked for them. */
  readonly resolveDid: ResolveDid
  readonly fetch: typeof fetch
  readonly now: () => Date
  /** For the authorization code flow: how the authorization server knows this wallet, and where it sends the person back. */
  readonly client: WalletClient | null
  /** A holder that is a DID (an organisation, a device): signs in and proves possession with this key. */
  readonly identity: ClientIdentity | null
  readonly keyAlgorithm: KeyAlgorithm
  /** For issuers that want to know where the wallet keeps its keys. */
  readonly attestKeys: AttestKeys | null
  /** Transaction data of these types can be shown to the person; a request with any other is refused. */
  readonly transactionDataTypes: readonly string[]
}

export interface WalletClient {
  readonly clientId: string
  readonly redirectUri: string
  readonly attestation?: WalletAttestation
}

/** How a wallet shows that it is genuine, and that it is this one (OAuth 2.0 Attestation-Based Client Authentication). */
export interface WalletAttestation {
  /** Of the wallet's provider, about the instance key; asked for before each request, because it lives shortly. */
  readonly jwt: () => Promise<string>
  readonly instanceKey: Signer
}

/**
 * A key attestation of the wallet's provider over these keys and the issuer's nonce (OpenID4VCI 1.0 appendix D), as a compact
 * JWT.
 */
export type AttestKeys = (keys: readonly PublicJwk[], nonce: string | null) => Promise<string>
