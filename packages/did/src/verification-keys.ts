import type { PublicKey } from '@tillit/keys'
import { isProblem } from '@tillit/problem'
import type { DIDDocument, VerificationMethod, VerificationRelationship } from 'did-resolver'
import { absoluteId, methodKey } from './did-document.ts'

export interface VerificationKey {
  /** The absolute DID URL of the verification method: what a JWS names as `kid`. */
  readonly id: string
  readonly key: PublicKey
}

/**
 * The keys that the document gives for a relationship. Left out are keys of other algorithms than Ed25519 and P-256, keys
 * that another DID controls, and references that lead out of the document. Throws Problem weak-key or invalid-key as soon
 * as one of the keys is so: such a document is not to be trusted at all.
 */
export function verificationKeys(document: DIDDocument, relationship: VerificationRelationship): VerificationKey[] {
  const keys: VerificationKey[] = []
  for (const item of document[relationship] ?? []) {
    const method = typeof item === 'string' ? findMethod(document, item) : item
    if (method === undefined || absoluteId(document.id, method.controller) !== document.id) continue
    const key = keyOf(method)
    if (key !== null) keys.push({ id: absoluteId(document.id, method.id), key })
  }
  return keys
}

function findMethod(document: DIDDocument, reference: string): VerificationMethod | undefined {
  const id = absoluteId(document.id, reference)
  return document.verificationMethod?.find((method) => absoluteId(document.id, method.id) === id)
}

function keyOf(method: VerificationMethod): PublicKey | null {
  try {
    return methodKey(method)
  } catch (error) {
    if (isProblem(error, 'unsupported-algorithm')) return null
    throw error
  }
}
