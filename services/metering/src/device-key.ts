import { type DIDDocument, type VerificationKey, verificationKeys } from '@tillit/did'
import { Problem } from '@tillit/problem'
import type { MeteringPorts } from './ports.ts'

/**
 * The Ed25519 keys with which a device signs its batches (`assertionMethod`), as its DID document has them now. Throws
 * Problem did-not-found, did-deactivated, did-resolution-failed, weak-key, or invalid-key when there is none.
 */
export async function deviceKeys(
  { resolveDid }: Pick<MeteringPorts, 'resolveDid'>,
  did: string,
  options: { readonly fresh?: boolean } = {},
): Promise<VerificationKey[]> {
  const { didDocument, didResolutionMetadata, didDocumentMetadata } = await resolveDid(did, options)
  if (didDocumentMetadata.deactivated === true) throw new Problem('did-deactivated')
  if (didDocument === null) {
    const notFound = didResolutionMetadata.error === 'notFound'
    throw new Problem(notFound ? 'did-not-found' : 'did-resolution-failed', { detail: 'The DID does not resolve' })
  }
  if (didDocument.id !== did) throw new Problem('did-resolution-failed', { detail: 'The document is of another DID' })
  const keys = verificationKeys(didDocument as unknown as DIDDocument, 'assertionMethod')
  const usable = keys.filter(({ key }) => key.alg === 'EdDSA')
  if (usable.length === 0) throw new Problem('invalid-key', { detail: 'The DID has no Ed25519 key to sign with' })
  return usable
}
