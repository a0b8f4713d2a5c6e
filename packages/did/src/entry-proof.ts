import { canonicalBytes, concat, fromBase58, sha256, toBase58 } from '@tillit/codec'
import { parseMultikey, type Signer, toMultikey, verifySignature } from '@tillit/keys'
import { Problem } from '@tillit/problem'
import type { DidLogEntry } from '@tillit/schemas'
import type { UnsignedEntry } from './entry-hash.ts'
import { refuseEntry } from './refuse-entry.ts'
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

type Proof = DidLogEntry['proof'][number]

/** The entry with its proof (W3C Data Integrity, eddsa-jcs-2022). Throws Problem unsupported-algorithm for a signer that is not Ed25519. */
export async function proveEntry(entry: UnsignedEntry, signer: Signer): Promise<DidLogEntry> {
  if (signer.alg !== 'EdDSA') {
    throw new Problem('unsupported-algorithm', { detail: 'A did:webvh entry is signed with an Ed25519 key' })
  }
  const multikey = toMultikey(signer.publicKey)
  const options = {
    type: 'DataIntegrityProof',
    cryptosuite: 'eddsa-jcs-2022',
    verificationMethod: `did:key:${multikey}#${multikey}`,
    created: entry.versionTime,
    proofPurpose: 'assertionMethod',
  }
  const signature = await signer.sign(hashToSign(entry, options))
  return { ...entry, proof: [{ ...options, proofValue: `z${toBase58(signature)}` }] }
}

/** Every proof of the entry must be by one of `authorized` (multikeys), and verify. Throws Problem invalid-did-log. */
export function verifyEntryProofs({ proof: proofs, ...entry }: DidLogEntry, authorized: readonly string[]): void {
  proofs.forEach((proof, index) => {
    verifyEntryProof(entry, proof, authorized, `/proof/${index}`)
  })
}

function verifyEntryProof(entry: UnsignedEntry, proof: Proof, authorized: readonly string[], pointer: string): void {
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
  const multikey = authorized.find((key) => options.verificationMethod === `did:key:${key}#${key}`)
  if (multikey === undefined) throw refuseEntry('The proof is not by a key that may update the DID', pointer)
  if (!verifySignature(parseMultikey(multikey), hashToSign(entry, options), signatureOf(proofValue, pointer)))
    throw refuseEntry('The signature of the proof does not verify', pointer)
}

/** Data Integrity EdDSA Cryptosuites v1.0, section 3.3.4: hash of the proof's options, then hash of the document. */
function hashToSign(entry: UnsignedEntry, options: object): Uint8Array {
  return concat(sha256(canonicalBytes(options)), sha256(canonicalBytes(entry)))
}

function signatureOf(proofValue: unknown, pointer: string): Uint8Array {
  if (typeof proofValue !== 'string' || !proofValue.startsWith('z'))
    throw refuseEntry('The value of the proof is not multibase base58', pointer)
  try {
    return fromBase58(proofValue.slice(1))
  } catch (cause) {
    throw refuseEntry('The value of the proof is not multibase base58', pointer, cause)
  }
}
