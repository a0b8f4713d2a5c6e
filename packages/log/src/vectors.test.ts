import { readdirSync, readFileSync } from 'node:fs'
import { fromHex, toHex, utf8 } from '@tillit/codec'
import type { Receipt } from '@tillit/schemas'
import { describe, expect, test } from 'vitest'
import { checkWitnessVector, type WitnessVector } from './check-witness-vector.fixture.ts'
import { verifyCheckpoint } from './checkpoint.ts'
import { commit } from './commit.ts'
import { encodeEntryBundle, parseEntryBundle } from './entry-bundle.ts'
import { logEntry, parseLogEntry } from './log-entry.ts'
import { leafHash, rootOfLeaves } from './merkle.ts'
import { verifyNote } from './note.ts'
import { verifyReceiptText } from './receipt-text.ts'
import { parseTilePath, tileIn, tilePath } from './tile.ts'
import { formatTlogProof, parseTlogProof } from './tlog-proof.ts'
import { parseTrustPolicy } from './trust-policy.ts'
import { formatVerifierKey, parseVerifierKey } from './verifier-key.ts'
import { verifyConsistency } from './verify-consistency.ts'
import { verifyInclusion } from './verify-inclusion.ts'
import { verifyReceipt } from './verify-receipt.ts'

/** One file is one sentence of the specification. `invalid` ones name the problem code and words of its detail. */
type Vector = (
  | WitnessVector
  | { kind: 'tree'; leaves: string[]; root: string }
  | { kind: 'commitment'; salt: string; entry: object; commitment: string }
  | { kind: 'note'; vkey: string; note: string; text: string }
  | { kind: 'checkpoint'; vkey: string; note: string; origin: string; size: number; root: string }
  | { kind: 'tile-path'; path: string; level: number | 'entries'; index: number; width: number }
  | { kind: 'tiles'; size: number; tiles: { level: number; index: number; width: number }[] }
  | { kind: 'entry-bundle'; commitments: string[]; bundle: string }
  | { kind: 'tlog-proof'; proof: string; index: number; hashes: number }
  | { kind: 'log-entry'; entry: string; commitment: string; publicSalt: string | null }
  | { kind: 'inclusion'; leaf: string; index: number; size: number; root: string; proof: string[] }
  | { kind: 'consistency'; older: Head; newer: Head; proof: string[] }
  | ({ kind: 'receipt'; vkey?: string; policy?: string; cosignedBy?: string[]; receipt: Receipt } & Place)
  | ({
      kind: 'receipt-text'
      vkey?: string
      policy?: string
      cosignedBy?: string[]
      text: string
      commitment: string
    } & Place)
) & { problem?: string; detail?: string }

interface Head {
  size: number
  root: string
}

/** Where a receipt says that its entry stands. */
interface Place {
  index: number
  size: number
  root: string
}

const folder = new URL('../../../test/vectors/log/', import.meta.url)

describe.each(['valid', 'invalid'])('%s', (validity) => {
  const files = readdirSync(new URL(`${validity}/`, folder))
  test.each(files)('%s', (file) => {
    const vector = JSON.parse(readFileSync(new URL(`${validity}/${file}`, folder), 'utf8')) as Vector
    if (validity === 'valid') return check(vector)
    const { problem, detail = '' } = vector
    expect(() => check(vector)).toThrow(
      expect.objectContaining({ code: problem, message: expect.stringContaining(detail) }),
    )
  })
})

function check(vector: Vector): void {
  switch (vector.kind) {
    case 'cosigner-key':
    case 'cosignature':
    case 'trust-policy':
    case 'policy-checkpoint':
    case 'add-checkpoint':
    case 'witness-verdict':
      checkWitnessVector(vector)
      return
    case 'tree':
      expect(toHex(rootOfLeaves(vector.leaves.map((leaf) => leafHash(fromHex(leaf)))))).toBe(vector.root)
      return
    case 'commitment':
      expect(toHex(commit(fromHex(vector.salt), vector.entry))).toBe(vector.commitment)
      return
    case 'note':
      expect(formatVerifierKey(parseVerifierKey(vector.vkey))).toBe(vector.vkey)
      expect(verifyNote(vector.note, parseVerifierKey(vector.vkey))).toBe(vector.text)
      return
    case 'checkpoint': {
      const { origin, size, root } = verifyCheckpoint(vector.note, parseVerifierKey(vector.vkey))
      expect({ origin, size, root: toHex(root) }).toEqual({
        origin: vector.origin,
        size: vector.size,
        root: vector.root,
      })
      return
    }
    case 'tile-path': {
      const parsed = parseTilePath(vector.path)
      expect(parsed).toEqual({ level: vector.level, index: vector.index, width: vector.width })
      if (parsed.level !== 'entries') expect(tilePath(parsed)).toBe(`tile/${vector.path}`)
      return
    }
    case 'tiles':
      for (const tile of vector.tiles) expect(tileIn(vector.size, tile.level, tile.index)).toEqual(tile)
      return
    case 'entry-bundle':
      expect(parseEntryBundle(fromHex(vector.bundle)).map(toHex)).toEqual(vector.commitments)
      expect(toHex(encodeEntryBundle(vector.commitments.map(fromHex)))).toBe(vector.bundle)
      return
    case 'tlog-proof': {
      const parsed = parseTlogProof(vector.proof)
      expect(parsed.index).toBe(vector.index)
      expect(parsed.hashes.length).toBe(vector.hashes)
      if (!vector.proof.includes('\nextra ')) expect(formatTlogProof(parsed)).toBe(vector.proof)
      return
    }
    case 'log-entry': {
      const parsed = parseLogEntry(fromHex(vector.entry))
      const { commitment, publicSalt } = parsed
      expect(toHex(commitment)).toBe(vector.commitment)
      expect(publicSalt === null ? null : toHex(publicSalt)).toBe(vector.publicSalt)
      expect(toHex(logEntry(commitment, publicSalt))).toBe(vector.entry)
      return
    }
    case 'inclusion': {
      const { index, size } = vector
      verifyInclusion(fromHex(vector.leaf), {
        index,
        size,
        root: fromHex(vector.root),
        proof: vector.proof.map(fromHex),
      })
      return
    }
    case 'consistency':
      verifyConsistency(headOf(vector.older), headOf(vector.newer), vector.proof.map(fromHex))
      return
    case 'receipt-text': {
      const { vkey, policy } = vector
      const trust = policy === undefined ? { vkey: vkey ?? '' } : { policy: parseTrustPolicy(policy) }
      const { index, size, root, commitment, cosignedBy } = verifyReceiptText(vector.text, trust)
      expect({ index, size, root, commitment, cosignedBy: cosignedBy?.map(({ name }) => name) ?? null }).toEqual({
        ...{ index: vector.index, size: vector.size, root: vector.root, commitment: vector.commitment },
        cosignedBy: vector.cosignedBy ?? null,
      })
      return
    }
    case 'receipt': {
      const { cosignedBy, ...verified } = verifyReceipt(vector.receipt, {
        ...(vector.vkey === undefined ? {} : { vkey: vector.vkey }),
        ...(vector.policy === undefined ? {} : { policy: parseTrustPolicy(vector.policy) }),
      })
      expect(cosignedBy?.map(({ name }) => name) ?? null).toEqual(vector.cosignedBy ?? null)
      expect(verified).toEqual({
        commitment: vector.receipt.opening.commitment,
        index: vector.index,
        size: vector.size,
        root: vector.root,
        anchored: vector.receipt.leaf?.anchor ?? null,
      })
      return
    }
  }
}

function headOf({ size, root }: Head): { size: number; root: Uint8Array } {
  return { size, root: fromHex(root) }
}

test('the vectors of the tree are not empty data by accident', () => {
  expect(toHex(leafHash(utf8('')))).toBe('6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d')
})
