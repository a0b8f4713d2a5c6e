import { toBase64url, toHex } from '@tillit/codec'
import { signerFromSeed } from '@tillit/keys'
import {
  commit,
  formatTlogProof,
  formatVerifierKey,
  leafHash,
  nodeHash,
  saltBytes,
  signCheckpoint,
  verifierKey,
} from '@tillit/log'
import type { Receipt } from '@tillit/schemas'

const origin = 'city.example/log'

const record = {
  ...{ at: '2026-03-01T12:00:00Z', caller_name: 'Adviser', decision: 'permit', granularity: 'P1D', values: 31 },
}

/** A receipt of a log of two entries, signed by a key of its own; `anchored` says that a ledger holds it. */
export async function makeReceipt({
  anchored,
  entry = record,
}: {
  anchored: boolean
  entry?: Record<string, unknown>
}): Promise<Receipt> {
  const signer = await signerFromSeed(new Uint8Array(32).fill(7))
  const salt = new Uint8Array(saltBytes).fill(8)
  const commitment = commit(salt, entry)
  const sibling = leafHash(new Uint8Array(32).fill(9))
  const root = nodeHash(sibling, leafHash(commitment))
  const checkpoint = await signCheckpoint({ origin, size: 2, root }, signer)
  const anchor = {
    ...{ chain_id: 31337, contract: `0x${'5f'.repeat(20)}`, transaction: `0x${'ab'.repeat(32)}`, block_number: 7 },
    ...{ size: 2, root: toHex(root), anchored_at: '2026-03-01T12:00:10Z' },
  }
  return {
    type: 'tillit-receipt/v1',
    city: 'http://127.0.0.1:9',
    opening: { kind: 'access-record', entry, salt: toBase64url(salt), commitment: toHex(commitment) },
    leaf: {
      commitment: toHex(commitment),
      index: 1,
      proof: formatTlogProof({ index: 1, hashes: [sibling], checkpoint }),
      anchor: anchored ? anchor : null,
      log: { origin, vkey: formatVerifierKey(verifierKey(origin, signer.publicKey)), self_witnessed: true },
    },
  }
}
