import type { Signer } from '@tillit/keys'

export type KeyAlgorithm = Signer['alg']

/** A key of the wallet. `id` is its JWK thumbprint (RFC 7638), so that a credential's `cnf` names it. */
export interface WalletKey {
  readonly id: string
  readonly signer: Signer
}

/** Where the wallet's keys live. A private key never leaves it: signers come out, not keys. */
export interface KeyStore {
  createKey(alg: KeyAlgorithm): Promise<WalletKey>
  findKey(id: string): Promise<WalletKey | null>
  removeKey(id: string): Promise<void>
}

/** The one format that this wallet keeps and presents: SD-JWT VC (OpenID4VCI 1.0 appendix A.3). */
export type CredentialFormat = 'dc+sd-jwt'

/** A credential as the wallet keeps it. Everything else that is shown of it is read from the credential itself. */
export interface HeldCredential {
  /** The wallet's own name for it. */
  readonly id: string
  readonly format: CredentialFormat
  readonly credential: string
  /** The key that it is bound to. */
  readonly keyId: string
  /** Credential Issuer Identifier of whoever handed it over. */
  readonly credentialIssuer: string
  readonly configurationId: string
  readonly receivedAt: string
}

/** A credential that was promised and is not there yet (OpenID4VCI 1.0 section 9). */
export interface DeferredCredential {
  readonly id: string
  readonly credentialIssuer: string
  readonly authorizationServer: string
  readonly configurationId: string
  readonly transactionId: string
  readonly keyIds: readonly string[]
  /** The token under which it is asked for, and the key that the token is bound to. */
  readonly accessToken: string
  readonly refreshToken: string | null
  readonly dpopKeyId: string
  /** Not to be asked for earlier than this. */
  readonly askAfter: string
}

/** Where the wallet's credentials live. Adding what is there already replaces it. */
export interface CredentialStore {
  listCredentials(): Promise<readonly HeldCredential[]>
  addCredential(credential: HeldCredential): Promise<void>
  removeCredential(id: string): Promise<void>
  listDeferred(): Promise<readonly DeferredCredential[]>
  addDeferred(deferred: DeferredCredential): Promise<void>
  removeDeferred(id: string): Promise<void>
}

export interface WalletStore extends KeyStore, CredentialStore {}
