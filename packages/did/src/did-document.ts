import { type PublicKey, parseMultikey, parsePublicJwk, toMultikey } from '@tillit/keys'
import { Problem } from '@tillit/problem'
import type { DIDDocument, Service, VerificationMethod, VerificationRelationship } from 'did-resolver'
import { atPointer } from './did-parameters.ts'

/** Most verification methods and services of one document. The specifications set none; ours bounds the work. */
const maxDocumentItems = 64

/** Relationships that a signing key may have; keyAgreement is for encryption. */
export const signingRelationships = [
  'authentication',
  'assertionMethod',
  'capabilityInvocation',
  'capabilityDelegation',
] as const satisfies readonly VerificationRelationship[]

/** Ways to write a key that are not checked here, so a key in one of them could be weak unseen. */
const uncheckedKeyMembers = ['publicKeyBase58', 'publicKeyBase64', 'publicKeyHex', 'publicKeyPem']

/** A DID document whose keys each do everything but key agreement: one Multikey verification method per key. */
export function standardDocument(
  did: string,
  options: { keys: readonly PublicKey[]; services?: Service[] },
): DIDDocument {
  const methods = options.keys.map((key) => multikeyMethod(did, key))
  const ids = methods.map((method) => method.id)
  return {
    '@context': ['https://www.w3.org/ns/did/v1', 'https://w3id.org/security/multikey/v1'],
    id: did,
    verificationMethod: methods,
    authentication: ids,
    assertionMethod: [...ids],
    capabilityInvocation: [...ids],
    capabilityDelegation: [...ids],
    ...(options.services === undefined ? {} : { service: options.services }),
  }
}

/** The verification method of a key: its fragment is the multikey itself, as in did:key. */
export function multikeyMethod(did: string, key: PublicKey): VerificationMethod {
  const multikey = toMultikey(key)
  return { id: `${did}#${multikey}`, type: 'Multikey', controller: did, publicKeyMultibase: multikey }
}

/**
 * Gives the object as a DID document when its id, verification methods, relationships and services are well formed and none of
 * its keys is weak, private, or written in a way that is not checked. Keys of other algorithms are let through; nothing
 * here verifies with them. Throws Problem invalid-did, invalid-key or weak-key with the pointer.
 */
export function checkDocument(document: Record<string, unknown>, pointer = ''): DIDDocument {
  if (typeof document.id !== 'string') throw new Problem('invalid-did', { detail: 'The document has no id', pointer })
  const did = document.id
  const methods = readList(document, 'verificationMethod', pointer)
  const ids = methods.map((method, index) => checkMethod(method, did, `${pointer}/verificationMethod/${index}`))
  for (const relationship of [...signingRelationships, 'keyAgreement'] as const) {
    readList(document, relationship, pointer).forEach((item, index) => {
      if (typeof item !== 'string') ids.push(checkMethod(item, did, `${pointer}/${relationship}/${index}`))
    })
  }
  if (new Set(ids).size !== ids.length)
    throw new Problem('invalid-key', { detail: 'Two verification methods have the same id', pointer })
  if ('publicKey' in document)
    throw new Problem('invalid-key', { detail: 'The member publicKey is not taken', pointer: `${pointer}/publicKey` })
  readList(document, 'service', pointer).forEach((service, index) => {
    if (!isService(service))
      throw new Problem('invalid-did', {
        detail: 'A service needs an id and a type',
        pointer: `${pointer}/service/${index}`,
      })
  })
  // Checked above as far as anything here reads it.
  return document as unknown as DIDDocument
}

/** The absolute id of a verification method or reference, which may be written as a fragment. */
export function absoluteId(did: string, id: string): string {
  return id.startsWith('#') ? did + id : id
}

/**
 * The key of a verification method. Throws Problem unsupported-algorithm when it is no Ed25519 or P-256 key, weak-key or
 * invalid-key when it must not be used.
 */
export function methodKey(method: VerificationMethod): PublicKey {
  if (method.publicKeyJwk !== undefined && method.publicKeyMultibase !== undefined)
    throw new Problem('invalid-key', { detail: 'The verification method has two keys' })
  if (method.publicKeyJwk !== undefined) return parsePublicJwk(method.publicKeyJwk)
  if (method.publicKeyMultibase !== undefined) return parseMultikey(method.publicKeyMultibase)
  throw new Problem('unsupported-algorithm', { detail: 'The verification method has no key that is known here' })
}

function checkMethod(method: unknown, did: string, pointer: string): string {
  if (!isMethod(method))
    throw new Problem('invalid-key', { detail: 'A verification method needs an id, a type and a controller', pointer })
  for (const member of uncheckedKeyMembers) {
    if (member in method) throw new Problem('invalid-key', { detail: `The member ${member} is not taken`, pointer })
  }
  try {
    atPointer(pointer, () => methodKey(method))
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== 'unsupported-algorithm') throw error
  }
  return absoluteId(did, method.id)
}

/** Whether the value is a verification method as far as anything here reads it. */
export function isMethod(value: unknown): value is VerificationMethod {
  if (typeof value !== 'object' || value === null) return false
  const method = value as Record<string, unknown>
  return (
    typeof method.id === 'string' &&
    typeof method.type === 'string' &&
    typeof method.controller === 'string' &&
    (method.publicKeyMultibase === undefined || typeof method.publicKeyMultibase === 'string') &&
    (method.publicKeyJwk === undefined || (typeof method.publicKeyJwk === 'object' && method.publicKeyJwk !== null))
  )
}

/** Whether the value is a service as far as anything here reads it; its endpoint may be whatever a method makes of it. */
function isService(value: unknown): value is Service {
  if (typeof value !== 'object' || value === null) return false
  const { id, type } = value as Record<string, unknown>
  return typeof id === 'string' && [type].flat().every((name) => typeof name === 'string')
}

function readList(document: Record<string, unknown>, name: string, pointer: string): unknown[] {
  const list = document[name]
  if (list === undefined) return []
  if (!Array.isArray(list) || list.length > maxDocumentItems)
    throw new Problem('invalid-did', {
      detail: `The member ${name} is not a list of at most ${maxDocumentItems}`,
      pointer: `${pointer}/${name}`,
    })
  return list
}
