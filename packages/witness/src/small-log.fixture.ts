import { type Signer, signerFromSeed } from '@tillit/keys'
import { formatAddCheckpoint, leafHash, rootOfLeaves, signCheckpoint, type VerifierKey, verifierKey } from '@tillit/log'

/** A log small enough to be held whole. `branch` names a history: two branches are a fork from `forkedAt` on. */
export interface SmallLog {
  readonly origin: string
  readonly key: VerifierKey
  readonly signer: Signer
  checkpoint(size: number, branch?: string): Promise<string>
  root(size: number, branch?: string): Uint8Array
  leaf(index: number, branch?: string): Uint8Array
  proof(oldSize: number, size: number, branch?: string): Uint8Array[]
  /** The body of add-checkpoint for a step from one size to another. */
  step(oldSize: number, size: number, branch?: string): Promise<string>
}

export async function smallLog(options: { origin?: string; seed?: number; forkedAt?: number } = {}): Promise<SmallLog> {
  const { seed = 1, forkedAt = 0 } = options
  const signer = await signerFromSeed(new Uint8Array(32).fill(seed))
  const origin = options.origin ?? 'city.example/log'
  const leaf = (index: number, branch = 'main') =>
    new TextEncoder().encode(`${index < forkedAt ? 'main' : branch} ${index}`)
  const leaves = (size: number, branch?: string) =>
    Array.from({ length: size }, (_, index) => leafHash(leaf(index, branch)))
  const root = (size: number, branch?: string) => rootOfLeaves(leaves(size, branch))
  const proof = (oldSize: number, size: number, branch?: string) =>
    oldSize === 0 || oldSize >= size ? [] : subproof(oldSize, leaves(size, branch), true)
  const checkpoint = (size: number, branch?: string) =>
    signCheckpoint({ origin, size, root: root(size, branch) }, signer)
  return {
    origin,
    key: verifierKey(origin, signer.publicKey),
    signer,
    checkpoint,
    root,
    leaf,
    proof,
    step: async (oldSize, size, branch) =>
      formatAddCheckpoint({ oldSize, proof: proof(oldSize, size, branch), note: await checkpoint(size, branch) }),
  }
}

/** RFC 6962 section 2.1.2, SUBPROOF, word by word. */
function subproof(oldSize: number, leaves: readonly Uint8Array[], whole: boolean): Uint8Array[] {
  if (oldSize === leaves.length) return whole ? [] : [rootOfLeaves(leaves)]
  let split = 1
  while (split * 2 < leaves.length) split *= 2
  return oldSize <= split
    ? [...subproof(oldSize, leaves.slice(0, split), whole), rootOfLeaves(leaves.slice(split))]
    : [...subproof(oldSize - split, leaves.slice(split), false), rootOfLeaves(leaves.slice(0, split))]
}
