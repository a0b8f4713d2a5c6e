import { canonicalJson, concat, fromBase58, sha256OfText, toBase58 } from '@tillit/codec'
import { parseMultikey, type Signer, toMultikey } from '@tillit/keys'
import { Problem } from '@tillit/problem'
import { refuseEntry } from './refuse-entry.ts'
import type { SignatureCheck } from './signature-check.ts'
import { parseUtc } from './version-time.ts'

/** Members with meaning that is not understood here (`expires`, `domain`, `@context`, …) make a proof invalid. */
const proofMembers = new Set([
  'id',
  'type',
  'cryptosuite',
  'verificationMethod',
  'created',
  'proofPurpose',
  'proofValue',
])

/** A Data Integrity proof as it came: nothing of it is checked yet. */
export type Proof = Readonly<Record<string, unknown>>

/**
 * A proof with eddsa-jcs-2022 over the SHA-256 of a canonical document. `created` is ISO 8601. Throws Problem
 * unsupported-algorithm for a signer that is not Ed25519.
 */
export async function createProof(documentHash: Uint8Array, signer: Signer, created: string): Promise<Proof> {
  if (signer.alg !== 'EdDSA')
    throw new Problem('unsupported-algorithm', { detail: 'A did:webvh is signed and witnessed with Ed25519 keys' })
  const multikey = toMultikey(signer.publicKey)
  const options = {
    type: 'DataIntegrityProof',
    cryptosuite: 'eddsa-jcs-2022',
    verificationMethod: methodOf(multikey),
    created,
    proofPurpose: 'assertionMethod',
  }
  const signature = await signer.sign(messageOf(options, documentHash))
  return { ...options, proofValue: `z${toBase58(signature)}` }
}

/**
 * Checks everything of a proof but its signature, which is handed back to be verified. The proof must be by one of
 * `authorized` (multikeys). Throws Problem invalid-did-log, weak-key or invalid-key.
 */
export function readProof(
  proof: Proof,
  documentHash: Uint8Array,
  { authorized, pointer }: { authorized: readonly string[]; pointer: string },
): SignatureCheck {
  const { proofValue, ...options } = proof
  for (const name of Object.keys(proof)) {
    if (!proofMembers.has(name)) throw refuseEntry('The proof has a member that is not known', pointer)
  }
  if (options.type !== 'DataIntegrityProof' || options.cryptosuite !== 'eddsa-jcs-2022')
    throw refuseEntry('The proof is not a DataIntegrityProof with eddsa-jcs-2022', pointer)
  if (options.proofPurpose !== 'assertionMethod')
    throw refuseEntry('The purpose of the proof is not assertionMethod', pointer)
  if (options.created !== undefined && parseUtc(options.created) === null)
    throw refuseEntry('The time of the proof is not valid', pointer)
  const multikey = authorized.find((key) => options.verificationMethod === methodOf(key))
  if (multikey === undefined) throw refuseEntry('The proof is not by a key that may update or witness the DID', pointer)
  return {
    key: parseMultikey(multikey),
    message: messageOf(options, documentHash),
    signature: signatureOf(proofValue, pointer),
    pointer,
  }
}

function methodOf(multikey: string): string {
  return `did:key:${multikey}#${multikey}`
}

/** Data Integrity EdDSA Cryptosuites v1.0, section 3.3.4: hash of the proof's options, then hash of the document. */
export function messageOf(options: object, documentHash: Uint8Array): Uint8Array {
  return concat(sha256OfText(canonicalJson(options)), documentHash)
}

export function signatureOf(proofValue: unknown, pointer: string): Uint8Array {
  if (typeof proofValue !== 'string' || !proofValue.startsWith('z'))
    throw refuseEntry('The value of the proof is not multibase base58', pointer)
  try {
    return fromBase58(proofValue.slice(1))
  } catch (cause) {
    throw refuseEntry('The value of the proof is not multibase base58', pointer, cause)
  }
}
