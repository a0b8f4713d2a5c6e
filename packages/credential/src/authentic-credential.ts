import type { CredentialType, PublicJwk } from '@tillit/schemas'

export type CredentialFormat = 'dc+sd-jwt' | 'vc+jwt' | 'eddsa-jcs-2022'

/** A place in a status list: of IETF Token Status List, or of a W3C Bitstring Status List with one purpose. */
export interface StatusReference {
  idx: number
  uri: string
}

/** A credential in any format that its issuer really signed and that is in its time. Says nothing yet about status and trust. */
export interface AuthenticClaims {
  format: CredentialFormat
  type: CredentialType
  issuer: string
  /** RFC 7638 thumbprint of the key that signed. */
  issuerJkt: string
  subject: string | null
  id: string | null
  /** The type's claims, as far as disclosed. */
  claims: { readonly [name: string]: unknown }
  /** The key that may present it; null when only the subject's DID says so. */
  holderJwk: PublicJwk | null
  issuedAt: Date
  expires: Date | null
  /** Each has to say that the credential is valid. */
  statusReferences: readonly StatusReference[]
}
