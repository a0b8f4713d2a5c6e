import { checkDocument, type DIDDocument, verificationKeys } from '@tillit/did'
import type { PublicKey } from '@tillit/keys'
import { isFault, isProblem, Problem, type ProblemCode, problemCodes } from '@tillit/problem'
import type { DidResolutionResult } from '@tillit/schemas'

/**
 * How DIDs are resolved; the caller brings network, cache and limits. `fresh`: ask a foreign host again, at a bounded rate,
 * although there is an answer. `versionTime`: the document as it was then (DID Resolution section 4), for methods that know.
 */
export type ResolveDid = (
  did: string,
  options?: { readonly fresh?: boolean; readonly versionTime?: string },
) => Promise<DidResolutionResult>

/** What a key says that was rotated away meanwhile, or that is not known yet. */
const keyFaults: ReadonlySet<string> = new Set(['invalid-signature', 'invalid-credential-signature', 'key-not-bound'])

/**
 * Verifies with the keys that are known, and where a signature fails once more with the ones that there are now: a foreign
 * DID may have rotated its key since it was resolved last. Throws what `verify` throws the last time.
 */
export async function withFreshKeys<T>(
  resolveDid: ResolveDid,
  verify: (resolveDid: ResolveDid) => Promise<T>,
): Promise<T> {
  try {
    return await verify(resolveDid)
  } catch (error) {
    if (!isProblem(error) || !keyFaults.has(error.code)) throw error
    return verify((did) => resolveDid(did, { fresh: true }))
  }
}

/**
 * Verifies what an issuer signed: with the keys that it has now, and where they do not fit with those that it had when it says
 * it signed, so that what was issued before a rotation stays good. That time can be forged by whoever has such an old key:
 * decideTrust refuses keys that were reported as compromised. Throws what `verify` throws under the keys of now.
 */
export async function withIssuerKeys<T>(
  resolveDid: ResolveDid,
  issuedAt: Date | null,
  verify: (resolveDid: ResolveDid) => Promise<T>,
): Promise<T> {
  try {
    return await withFreshKeys(resolveDid, verify)
  } catch (error) {
    if (issuedAt === null || !isProblem(error) || !keyFaults.has(error.code)) throw error
    // `iat` has whole seconds, so the DID may have been made later within the same one.
    const versionTime = new Date(issuedAt.getTime() + 999).toISOString()
    try {
      return await verify((did) => resolveDid(did, { versionTime }))
    } catch (cause) {
      if (isFault(cause)) throw cause
      // A DID without versions, or none of that time: what counts is what is wrong now.
      throw error
    }
  }
}

export interface KeySearch {
  resolveDid: ResolveDid
  relationship: 'assertionMethod' | 'authentication'
}

/**
 * The key that `keyId` (a DID URL, or its fragment with `#`) names: the DID's own, in that relationship. Throws Problem
 * invalid-credential-signature when there is none, weak-key or invalid-key, and what resolveDocument throws.
 */
export async function resolveKey(did: string, keyId: unknown, search: KeySearch): Promise<PublicKey> {
  if (typeof keyId !== 'string' || !(keyId.startsWith(`${did}#`) || keyId.startsWith('#'))) {
    throw new Problem('invalid-credential-signature', { detail: 'The key is not one of the signer', pointer: '/kid' })
  }
  const wanted = keyId.startsWith('#') ? did + keyId : keyId
  const document = await resolveDocument(did, search.resolveDid)
  const found = verificationKeys(document, search.relationship).find(({ id }) => id === wanted)
  if (found) return found.key
  throw new Problem('invalid-credential-signature', {
    detail: `The signer has no such key for ${search.relationship}`,
    pointer: '/kid',
  })
}

/**
 * The DID's current document, with every key in it checked whoever resolved it. Throws Problem did-deactivated,
 * did-not-found, did-resolution-failed, weak-key, invalid-key, or what else the resolver says is wrong with the DID.
 */
export async function resolveDocument(did: string, resolveDid: ResolveDid): Promise<DIDDocument> {
  const { didDocument, didDocumentMetadata, didResolutionMetadata } = await resolveDid(did)
  if (didDocumentMetadata.deactivated === true) throw new Problem('did-deactivated')
  if (didResolutionMetadata.error !== undefined || didDocument === null) {
    throw new Problem(resolutionProblem(didResolutionMetadata), { detail: 'The DID of the signer does not resolve' })
  }
  if (didDocument.id !== did) {
    throw new Problem('did-resolution-failed', { detail: 'The document is that of another DID' })
  }
  return checkDocument(didDocument)
}

function resolutionProblem({ error, problemDetails }: Record<string, unknown>): ProblemCode {
  const code =
    problemDetails !== null && typeof problemDetails === 'object' && 'code' in problemDetails
      ? problemDetails.code
      : undefined
  if (typeof code === 'string' && isProblemCode(code)) return code
  return error === 'notFound' ? 'did-not-found' : 'did-resolution-failed'
}

function isProblemCode(code: string): code is ProblemCode {
  return Object.hasOwn(problemCodes, code)
}
