import { sha256OfText } from '@tillit/codec'
import type { Signer } from '@tillit/keys'
import type { DidLogEntry } from '@tillit/schemas'
import { createProof, type Proof, readProof } from './data-integrity.ts'
import { type EntryText, entryText, type UnsignedEntry } from './entry-hash.ts'
import type { SignatureCheck } from './signature-check.ts'

/** The entry with its proof. Throws Problem unsupported-algorithm for a signer that is not Ed25519. */
export async function proveEntry(entry: UnsignedEntry, signer: Signer): Promise<DidLogEntry> {
  const proof = await createProof(entryDigest(entryText(entry), entry.versionId), signer, entry.versionTime)
  return { ...entry, proof: [{ ...proof }] }
}

/** Every proof of the entry must be by one of `authorized` (multikeys); gives the signatures to verify. Throws Problem invalid-did-log. */
export function readEntryProofs(
  { proof: proofs, versionId }: { proof: readonly Proof[]; versionId: string },
  text: EntryText,
  authorized: readonly string[],
): SignatureCheck[] {
  const digest = entryDigest(text, versionId)
  return proofs.map((proof, index) => readProof(proof, digest, { authorized, pointer: `/proof/${index}` }))
}

function entryDigest(text: EntryText, versionId: string): Uint8Array {
  return sha256OfText(text(versionId))
}
