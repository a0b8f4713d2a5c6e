import { fromBase64url, fromUtf8, parseJson, toBase64url, utf8 } from '@tillit/codec'
import { type PublicKey, parsePublicJwk, toPublicJwk } from '@tillit/keys'
import { Problem } from '@tillit/problem'
import type { DIDDocument } from 'did-resolver'
import { signingRelationships } from './did-document.ts'

/** The did:jwk of a key, from the JWK's required members only. */
export function didJwkFor(key: PublicKey): string {
  return `did:jwk:${toBase64url(utf8(JSON.stringify(toPublicJwk(key))))}`
}

/**
 * The document of a did:jwk, given the part after `did:jwk:`. Throws Problem invalid-did when it is not the base64url of
 * a JWK, invalid-key, weak-key or unsupported-algorithm for the key in it; a key for encryption is refused.
 */
export function didJwkDocument(encoded: string): DIDDocument {
  const jwk = decodeJwk(encoded)
  parsePublicJwk(jwk)
  if (jwk.use !== undefined && jwk.use !== 'sig')
    throw new Problem('unsupported-algorithm', { detail: 'The key is not for signatures' })
  const did = `did:jwk:${encoded}`
  const id = `${did}#0`
  return {
    '@context': ['https://www.w3.org/ns/did/v1', 'https://w3id.org/security/suites/jws-2020/v1'],
    id: did,
    verificationMethod: [{ id, type: 'JsonWebKey2020', controller: did, publicKeyJwk: jwk }],
    ...Object.fromEntries(signingRelationships.map((relationship) => [relationship, [id]])),
  }
}

function decodeJwk(encoded: string): { kty: string; [name: string]: unknown } {
  let jwk: unknown
  try {
    jwk = parseJson(fromUtf8(fromBase64url(encoded)))
  } catch (cause) {
    throw new Problem('invalid-did', { detail: 'A did:jwk holds the base64url of a JWK', cause })
  }
  if (typeof jwk !== 'object' || jwk === null || !('kty' in jwk) || typeof jwk.kty !== 'string')
    throw new Problem('invalid-did', { detail: 'A did:jwk holds the base64url of a JWK' })
  return { ...jwk, kty: jwk.kty }
}
