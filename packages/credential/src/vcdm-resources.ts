import { sha384, sha512 } from '@noble/hashes/sha2.js'
import { equalBytes, sha256, utf8 } from '@tillit/codec'
import { bundledSchema, checkJsonSchema } from './credential-schema.ts'
import {
  type Digest,
  digestMultibaseAt,
  digestSriAt,
  type JsonObject,
  malformed,
  objectsAt,
  urlAt,
} from './vcdm-members.ts'

/** The text behind a URL as far as the caller has it; nothing is ever fetched. */
export type Resources = (url: string) => string | undefined

const hashes = { sha256: (bytes: Uint8Array) => sha256(bytes), sha384, sha512 }

/**
 * `credentialSchema` (section 4.11): each with id and type, JSON Schemas applied. One that cannot be applied, because its text
 * or its type is not known here, makes the credential invalid: nobody could say that it fits. Throws Problem invalid-credential.
 */
export function checkCredentialSchemas(document: JsonObject, resources: Resources): void {
  for (const { object, pointer } of objectsAt(document.credentialSchema, '/credentialSchema')) {
    const id = urlAt(object.id, `${pointer}/id`)
    if (object.type !== 'JsonSchema') throw malformed('The type of the schema is not known here', `${pointer}/type`)
    const text = bundledSchema(id) ?? resources(id)
    if (text === undefined) throw malformed('The JSON Schema is not known here and is never fetched', `${pointer}/id`)
    checkDigests(digestsOf(object, pointer), text, pointer)
    checkJsonSchema(document, text, pointer)
  }
}

/**
 * `relatedResource` (section 5.3): no URL twice, each with a digest, which the resource has where it is at hand. Throws
 * Problem invalid-credential.
 */
export function checkRelatedResources(value: unknown, resources: Resources): void {
  const seen = new Set<string>()
  for (const { object, pointer } of objectsAt(value, '/relatedResource')) {
    const id = urlAt(object.id, `${pointer}/id`)
    if (seen.has(id)) throw malformed('A related resource stands twice', pointer)
    seen.add(id)
    const digests = digestsOf(object, pointer)
    if (digests.length === 0) throw malformed('A related resource has no digest', pointer)
    const text = bundledSchema(id) ?? resources(id)
    if (text !== undefined) checkDigests(digests, text, pointer)
  }
}

function digestsOf({ digestSRI, digestMultibase }: JsonObject, pointer: string): Digest[] {
  return [
    ...(digestSRI === undefined ? [] : digestSriAt(digestSRI, `${pointer}/digestSRI`)),
    ...(digestMultibase === undefined ? [] : digestMultibaseAt(digestMultibase, `${pointer}/digestMultibase`)),
  ]
}

function checkDigests(digests: Digest[], text: string, pointer: string): void {
  for (const { algorithm, bytes } of digests) {
    if (!equalBytes(hashes[algorithm](utf8(text)), bytes))
      throw malformed('The resource is not what its digest says', pointer)
  }
}
