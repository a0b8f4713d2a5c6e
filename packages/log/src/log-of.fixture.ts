import { toHex } from '@tillit/codec'
import { signerFromSeed } from '@tillit/keys'
import type { Opening, Receipt } from '@tillit/schemas'
import { appendLeaves, emptyEdge } from './append-leaves.ts'
import { inclusionProof } from './build-proof.ts'
import { signCheckpoint } from './checkpoint.ts'
import { leafHash } from './merkle.ts'
import { createTileMemory } from './tile-memory.ts'
import { formatTlogProof } from './tlog-proof.ts'
import { formatVerifierKey, verifierKey } from './verifier-key.ts'

const origin = 'city.example/log'

/** A log of these commitments under a key of its own, and the receipts that it gives. */
export async function logOf(commitments: readonly Uint8Array[]) {
  const signer = await signerFromSeed(new Uint8Array(32).fill(7))
  const { root, changed } = appendLeaves(emptyEdge, commitments.map(leafHash))
  const tiles = createTileMemory()
  tiles.put(changed)
  const size = commitments.length
  const checkpoint = await signCheckpoint({ origin, size, root }, signer)
  const vkey = formatVerifierKey(verifierKey(origin, signer.publicKey))
  return {
    vkey,
    async receiptOf(opening: Opening): Promise<Receipt> {
      const index = commitments.findIndex((commitment) => toHex(commitment) === opening.commitment)
      const hashes = await inclusionProof(index, size, tiles.readTiles)
      const { commitment } = opening
      const proof = formatTlogProof({ index, hashes, checkpoint })
      const log = { origin, vkey, self_witnessed: true }
      const leaf = { commitment, index, proof, anchor: null, log }
      return { type: 'tillit-receipt/v1', city: 'http://127.0.0.1:9', opening, leaf }
    },
  }
}
