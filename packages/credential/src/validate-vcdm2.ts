import { type Contexts, pinnedContexts, type Vocabulary, vocabularyOf } from './vcdm-contexts.ts'
import {
  checkLanguageValue,
  dateTimeAt,
  type JsonObject,
  malformed,
  objectAt,
  objectsAt,
  textsAt,
  urlAt,
} from './vcdm-members.ts'
import { checkCredentialSchemas, checkRelatedResources, type Resources } from './vcdm-resources.ts'

export interface VcdmOptions {
  /** By default the bundled ones; make others with pinnedContexts. */
  contexts?: Contexts
  /** Schemas and related resources at hand; by default our own schemas only. */
  resources?: Resources
}

/** What a conforming document says about itself. Nothing of it is proved. */
export interface VcdmCredential {
  document: JsonObject
  issuer: string
  types: readonly string[]
  validFrom: Date | null
  validUntil: Date | null
  subjects: readonly JsonObject[]
  /** As they came; `type` is known to be there. */
  statuses: readonly JsonObject[]
}

/** Members that say how to go on with a credential: each an object with a type, or several. */
const typedMembers = ['refreshService', 'termsOfUse', 'evidence', 'confidenceMethod', 'renderMethod'] as const

/**
 * Checks that a document is a verifiable credential of the W3C's data model 2.0, in full but for proofs. A name that no context
 * defines is refused, as JSON-LD would drop it unseen. Throws Problem invalid-credential with a pointer.
 */
export function validateVcdm2(input: unknown, options: VcdmOptions = {}): VcdmCredential {
  const document = objectAt(input, '')
  const vocabulary = vocabularyOf(document['@context'], options.contexts ?? pinnedContexts())
  const types = checkTypes(document, 'VerifiableCredential', vocabulary)
  if (document.id !== undefined) urlAt(document.id, '/id')
  const issuer = issuerOf(document)
  const { validFrom, validUntil } = validity(document)
  const subjects = subjectsOf(document)
  const statuses = statusesOf(document)
  for (const name of typedMembers) if (document[name] !== undefined) checkTyped(document[name], `/${name}`)
  checkTexts(document, '')
  refuseUndefinedTerms(document, vocabulary)
  const resources = options.resources ?? noResources
  if (document.credentialSchema !== undefined) checkCredentialSchemas(document, resources)
  if (document.relatedResource !== undefined) checkRelatedResources(document.relatedResource, resources)
  return { document, issuer, types, validFrom, validUntil, subjects, statuses }
}

/** What a conforming presentation holds; its credentials are still to be verified. */
export interface VcdmPresentation {
  document: JsonObject
  holder: string | null
  credentials: readonly JsonObject[]
}

/** Checks that a document is a verifiable presentation (section 4.13). Throws Problem invalid-credential with a pointer. */
export function validateVcdm2Presentation(input: unknown, options: VcdmOptions = {}): VcdmPresentation {
  const document = objectAt(input, '')
  const vocabulary = vocabularyOf(document['@context'], options.contexts ?? pinnedContexts())
  checkTypes(document, 'VerifiablePresentation', vocabulary)
  if (document.id !== undefined) urlAt(document.id, '/id')
  const { holder, verifiableCredential: credentials, termsOfUse, ...rest } = document
  if (termsOfUse !== undefined) checkTyped(termsOfUse, '/termsOfUse')
  // Each credential has a context of its own.
  refuseUndefinedTerms(rest, vocabulary)
  return {
    document,
    holder: holder === undefined ? null : idOf(holder, '/holder'),
    credentials:
      credentials === undefined ? [] : objectsAt(credentials, '/verifiableCredential').map(({ object }) => object),
  }
}

const noResources: Resources = () => undefined

/** Section 4.5: terms or URLs, the base type among them. */
function checkTypes({ type }: JsonObject, base: string, vocabulary: Vocabulary): string[] {
  const types = textsAt(type, '/type')
  if (!types.includes(base)) throw malformed(`The type ${base} is missing`, '/type')
  for (const name of types) if (!isDefined(name, vocabulary)) throw malformed('No context defines the type', '/type')
  return types
}

/** Section 4.7: a URL, or an object with one. */
function issuerOf({ issuer }: JsonObject): string {
  if (issuer !== null && typeof issuer === 'object') checkTexts(objectAt(issuer, '/issuer'), '/issuer')
  return idOf(issuer, '/issuer')
}

function idOf(value: unknown, pointer: string): string {
  return typeof value === 'string' ? urlAt(value, pointer) : urlAt(objectAt(value, pointer).id, `${pointer}/id`)
}

/** Section 4.9. */
function validity({ validFrom, validUntil }: JsonObject): { validFrom: Date | null; validUntil: Date | null } {
  const from = validFrom === undefined ? null : dateTimeAt(validFrom, '/validFrom')
  const until = validUntil === undefined ? null : dateTimeAt(validUntil, '/validUntil')
  if (from !== null && until !== null && until < from) throw malformed('It ends before it begins', '/validUntil')
  return { validFrom: from, validUntil: until }
}

/** Section 4.8: each says something. */
function subjectsOf({ credentialSubject }: JsonObject): JsonObject[] {
  return objectsAt(credentialSubject, '/credentialSubject').map(({ object, pointer }) => {
    if (Object.keys(object).length === 0) throw malformed('The subject says nothing', pointer)
    if (object.id !== undefined) urlAt(object.id, `${pointer}/id`)
    return object
  })
}

/** Section 4.10. */
function statusesOf({ credentialStatus }: JsonObject): JsonObject[] {
  return credentialStatus === undefined ? [] : checkTyped(credentialStatus, '/credentialStatus')
}

function checkTyped(value: unknown, pointer: string): JsonObject[] {
  return objectsAt(value, pointer).map(({ object, pointer: at }) => {
    textsAt(object.type, `${at}/type`)
    if (object.id !== undefined) urlAt(object.id, `${at}/id`)
    return object
  })
}

/** Section 4.6. */
function checkTexts({ name, description }: JsonObject, pointer: string): void {
  if (name !== undefined) checkLanguageValue(name, `${pointer}/name`)
  if (description !== undefined) checkLanguageValue(description, `${pointer}/description`)
}

function refuseUndefinedTerms(document: JsonObject, vocabulary: Vocabulary): void {
  const path = undefinedTerm(document, vocabulary, 0)
  if (path === null) return
  const detail =
    path.at(-1) === '@context' ? 'A context within the document is not taken' : 'No context defines the name'
  throw malformed(detail, `/${path.join('/')}`)
}

/** The path to the first name that nothing defines, or to a context further in, which would give names another meaning. */
function undefinedTerm(value: object, vocabulary: Vocabulary, depth: number): (string | number)[] | null {
  for (const [name, member] of Object.entries(value)) {
    if (name === '@context') {
      if (depth > 0) return [name]
      continue
    }
    if (!Array.isArray(value) && !name.startsWith('@') && !isDefined(name, vocabulary)) return [name]
    if (member === null || typeof member !== 'object' || vocabulary.json.has(name)) continue
    // The proof repeats the contexts that it was made in.
    const inside = undefinedTerm(member, vocabulary, depth === 0 && name === 'proof' ? 0 : depth + 1)
    if (inside !== null) return [name, ...inside]
  }
  return null
}

function isDefined(name: string, vocabulary: Vocabulary): boolean {
  return vocabulary.all || vocabulary.terms.has(name) || /^[A-Za-z][A-Za-z0-9+.-]*:\S+$/.test(name)
}
