import { canonicalJson, concat, fromBase58, sha256OfText, toBase58 } from '@tillit/codec'
import { type PublicKey, type Signer, verifySignature } from '@tillit/keys'
import { Problem } from '@tillit/problem'
import { dateTimeAt, type JsonObject, malformed, objectAt, urlAt, writeDateTime } from './vcdm-members.ts'

const cryptosuite = 'eddsa-jcs-2022'

export type ProofPurpose = 'assertionMethod' | 'authentication'

/** Members of a proof with a meaning that is known here (Data Integrity section 2.1). Any other makes the proof invalid. */
const proofMembers = new Set([
  '@context',
  'id',
  'type',
  'cryptosuite',
  'created',
  'expires',
  'verificationMethod',
  'proofPurpose',
  'domain',
  'challenge',
  'nonce',
  'proofValue',
])

export interface ProofOptions {
  /** DID URL of the key. */
  keyId: string
  signer: Signer
  purpose: ProofPurpose
  created: Date
  expires?: Date
  /** For whom and for which request a presentation is. */
  domain?: string
  challenge?: string
}

/**
 * Adds a proof with eddsa-jcs-2022 to a document (Data Integrity EdDSA Cryptosuites v1.0 section 3.3.1). Throws Problem
 * unsupported-algorithm for a signer that is not Ed25519, invalid-credential when the document has a proof.
 */
export async function addProof(document: JsonObject, options: ProofOptions): Promise<JsonObject> {
  const { keyId, signer, purpose, created, expires, domain, challenge } = options
  if (signer.alg !== 'EdDSA')
    throw new Problem('unsupported-algorithm', { detail: `${cryptosuite} signs with Ed25519 keys` })
  if (document.proof !== undefined) throw malformed('The document has a proof already', '/proof')
  const proof = {
    ...(document['@context'] === undefined ? {} : { '@context': document['@context'] }),
    type: 'DataIntegrityProof',
    cryptosuite,
    created: writeDateTime(created),
    ...(expires === undefined ? {} : { expires: writeDateTime(expires) }),
    verificationMethod: keyId,
    proofPurpose: purpose,
    ...(domain === undefined ? {} : { domain }),
    ...(challenge === undefined ? {} : { challenge }),
  }
  const signature = await signer.sign(messageOf(proof, document))
  return { ...document, proof: { ...proof, proofValue: `z${toBase58(signature)}` } }
}

/** A proof that is well formed and for this purpose, time, domain and challenge; its signature is still to be verified. */
export interface ReadProof {
  keyId: string
  created: Date | null
  /** Whether the signature is the key's. */
  isSignedBy: (key: PublicKey) => boolean
}

/**
 * Reads the one proof of a document (section 3.3.2). Throws Problem invalid-credential, credential-expired, invalid-nonce for
 * another challenge, invalid-credential-signature for another domain.
 */
export function readProof(
  document: JsonObject,
  expected: { purpose: ProofPurpose; now: Date; domain?: string; challenge?: string },
): ReadProof {
  const { proof: proofs, ...unsecured } = document
  // A set or chain of proofs says more than that the issuer signed, and nothing here would understand what.
  const proof = objectAt(Array.isArray(proofs) && proofs.length === 1 ? proofs[0] : proofs, '/proof')
  for (const name of Object.keys(proof))
    if (!proofMembers.has(name)) throw malformed('The proof has a member that is not known', `/proof/${name}`)
  const { proofValue, ...config } = proof
  if (config.type !== 'DataIntegrityProof' || config.cryptosuite !== cryptosuite)
    throw malformed(`The proof is not a DataIntegrityProof with ${cryptosuite}`, '/proof/cryptosuite')
  if (config.proofPurpose !== expected.purpose)
    throw malformed(`The purpose of the proof is not ${expected.purpose}`, '/proof/proofPurpose')
  const keyId = urlAt(config.verificationMethod, '/proof/verificationMethod')
  const created = config.created === undefined ? null : dateTimeAt(config.created, '/proof/created')
  requireProofInTime(created, config.expires, expected.now)
  requireExpected(config, expected)
  const signature = signatureOf(proofValue)
  const secured = withContextOf(config, unsecured)
  return { keyId, created, isSignedBy: (key) => verifySignature(key, messageOf(config, secured), signature) }
}

/** Section 3.3.4: the hash of the proof's options, then that of the document. */
function messageOf(options: JsonObject, document: JsonObject): Uint8Array {
  return concat(sha256OfText(canonicalJson(options)), sha256OfText(canonicalJson(document)))
}

/** Section 3.3.2 step 4: the document's contexts may only go on where those of the proof end. */
function withContextOf(config: JsonObject, document: JsonObject): JsonObject {
  const context = config['@context']
  if (context === undefined) return document
  const signed = [context].flat()
  const own = [document['@context']].flat()
  if (signed.some((item, index) => canonicalJson(item) !== canonicalJson(own[index] ?? null)))
    throw malformed('The proof was made in another context', '/proof/@context')
  return { ...document, '@context': context }
}

function requireProofInTime(created: Date | null, expires: unknown, now: Date): void {
  if (created !== null && created.getTime() > now.getTime() + 60_000)
    throw new Problem('credential-expired', { detail: 'The proof is from the future' })
  if (expires !== undefined && dateTimeAt(expires, '/proof/expires') <= now)
    throw new Problem('credential-expired', { detail: 'The proof has expired' })
}

function requireExpected(config: JsonObject, { domain, challenge }: { domain?: string; challenge?: string }): void {
  if (domain !== undefined && ![config.domain].flat().includes(domain))
    throw new Problem('invalid-credential-signature', { detail: 'The proof is for another verifier' })
  if (challenge !== undefined && config.challenge !== challenge) throw new Problem('invalid-nonce')
}

function signatureOf(proofValue: unknown): Uint8Array {
  if (typeof proofValue !== 'string' || !proofValue.startsWith('z'))
    throw malformed('The value of the proof is not multibase base58', '/proof/proofValue')
  try {
    return fromBase58(proofValue.slice(1))
  } catch (cause) {
    const detail = 'The value of the proof is not multibase base58'
    throw new Problem('invalid-credential', { detail, pointer: '/proof/proofValue', cause })
  }
}
