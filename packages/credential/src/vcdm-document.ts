import { didJwkFor } from '@tillit/did'
import { parsePublicJwk } from '@tillit/keys'
import { type CredentialType, credentialsContext, type PublicJwk, tillitContext } from '@tillit/schemas'
import { checkClaims } from './check-claims.ts'
import { credentialSchemaUrl } from './credential-schema.ts'
import { type JsonObject, writeDateTime } from './vcdm-members.ts'

export interface BitstringEntry {
  purpose: 'revocation' | 'suspension'
  idx: number
  uri: string
}

export interface VcdmIssuance {
  type: CredentialType
  issuerDid: string
  /** By default the did:jwk of the holder's key: the subject of such a credential has to have a name. */
  subjectDid?: string
  holderJwk: PublicJwk
  claims: Record<string, unknown>
  status: readonly BitstringEntry[]
  /** A URL. */
  id?: string
  issuedAt: Date
  expires?: Date
}

/**
 * A credential of one of our types as the W3C's data model 2.0 writes it, not signed yet. Nothing in it can be left out when it
 * is presented. Throws Problem invalid-credential, weak-key or invalid-key.
 */
export function vcdmDocument(issuance: VcdmIssuance): JsonObject {
  const { type, issuerDid, claims, status, id, issuedAt, expires } = issuance
  const subject = issuance.subjectDid ?? didJwkFor(parsePublicJwk(issuance.holderJwk))
  return {
    '@context': [credentialsContext, tillitContext],
    ...(id === undefined ? {} : { id }),
    type: ['VerifiableCredential', type],
    issuer: issuerDid,
    validFrom: writeDateTime(issuedAt),
    ...(expires === undefined ? {} : { validUntil: writeDateTime(expires) }),
    credentialSubject: { id: subject, ...checkClaims(type, claims, { complete: true }) },
    credentialSchema: { id: credentialSchemaUrl(type), type: 'JsonSchema' },
    credentialStatus: status.map(bitstringEntry),
  }
}

/** Bitstring Status List v1.0 section 2.1. */
export function bitstringEntry({ purpose, idx, uri }: BitstringEntry): JsonObject {
  return {
    id: `${uri}#${idx}`,
    type: 'BitstringStatusListEntry',
    statusPurpose: purpose,
    statusListIndex: String(idx),
    statusListCredential: uri,
  }
}
