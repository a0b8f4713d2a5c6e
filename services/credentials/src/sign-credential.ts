import {
  type BitstringEntry,
  type Issuance,
  issueDataIntegrity,
  issueSdJwtVc,
  issueVcJwt,
  statusPurposes,
} from '@tillit/credential'
import type { Context, HostedIssuer } from './ports.ts'
import { bitstringListUri, statusListUri } from './status-list-uri.ts'

/** The forms in which a type is issued, by the names of OpenID4VCI 1.0 appendix A; the first is the default. */
export const credentialFormats = ['dc+sd-jwt', 'jwt_vc_json', 'ldp_vc'] as const
export type CredentialFormat = (typeof credentialFormats)[number]

export interface Signing {
  format: CredentialFormat
  issuer: HostedIssuer
  place: { listId: number; idx: number }
}

/**
 * The signed credential as text: SD-JWT VC, `vc+jwt`, or the JSON of a document with eddsa-jcs-2022. Each says where its status
 * stands in the list format that goes with it. Throws Problem invalid-credential, weak-key, invalid-key or unsupported-algorithm.
 */
export async function signCredential(
  { publicUrl, randomBytes }: Pick<Context, 'publicUrl' | 'randomBytes'>,
  issuance: Omit<Issuance, 'keyId' | 'signer' | 'status' | 'randomBytes' | 'id'> & { id: string },
  { format, issuer, place: { listId, idx } }: Signing,
): Promise<string> {
  const { keyId, signer } = issuer
  if (format === 'dc+sd-jwt') {
    const status = { idx, uri: statusListUri(publicUrl, listId) }
    return issueSdJwtVc({ ...issuance, keyId, signer, status, randomBytes })
  }
  const status: BitstringEntry[] = statusPurposes.map((purpose) => ({
    purpose,
    idx,
    uri: bitstringListUri(publicUrl, listId, purpose),
  }))
  const document = { ...issuance, id: `${publicUrl}/credentials/${issuance.id}`, keyId, signer, status }
  return format === 'jwt_vc_json' ? issueVcJwt(document) : JSON.stringify(await issueDataIntegrity(document))
}
