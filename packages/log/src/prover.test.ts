import { toHex } from '@tillit/codec'
import { signerFromSeed } from '@tillit/keys'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { appendLeaves, emptyEdge, rootOfEdge } from './append-leaves.ts'
import { signCheckpoint, verifyCheckpoint } from './checkpoint.ts'
import { hashBytes } from './commit.ts'
import { expandTile, nodeOfTile } from './expand-tile.ts'
import { emptyRoot, largestPowerOfTwoBelow, leafHash, nodeHash, rootOfLeaves } from './merkle.ts'
import { createProver } from './prover.ts'
import { readEdge } from './read-edge.ts'
import type { ReadTiles } from './read-tiles.ts'
import { consistencyRanges, inclusionRanges } from './subtrees.ts'
import { parseTilePath, subtreeOfTile, type TileId, tileIn, tilePath } from './tile.ts'
import { createTileMemory } from './tile-memory.ts'
import { formatTlogProof, parseTlogProof } from './tlog-proof.ts'
import { verifierKey } from './verifier-key.ts'
import { verifyConsistency } from './verify-consistency.ts'
import { verifyInclusion } from './verify-inclusion.ts'

const leaves = Array.from({ length: 1500 }, (_, i) => leafHash(Uint8Array.of(i & 255, i >> 8)))

function memoryOf(size: number) {
  const memory = createTileMemory()
  memory.put(appendLeaves(emptyEdge, leaves.slice(0, size)).changed)
  return memory
}

/** Counts what is read. */
function counting(readTiles: ReadTiles): { readTiles: ReadTiles; reads: TileId[] } {
  const reads: TileId[] = []
  const read: ReadTiles = (tiles) => {
    reads.push(...tiles)
    return readTiles(tiles)
  }
  return { reads, readTiles: read }
}

test('an expanded tile holds the root of every perfect subtree of it', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 256 }), fc.nat({ max: 8 }), fc.nat(), (width, height, at) => {
      const hashes = new Uint8Array(256 * hashBytes)
      for (const [i, leaf] of leaves.slice(0, 256).entries()) hashes.set(leaf, i * hashBytes)
      const tile = expandTile(hashes, width)
      const count = Math.floor(width / 2 ** height)
      if (count === 0) expect(() => nodeOfTile(tile, height, 0)).toThrow(RangeError)
      else {
        const index = at % count
        const expected = subtreeOfTile(hashes, index * 2 ** height, 2 ** height)
        expect(toHex(nodeOfTile(tile, height, index))).toBe(toHex(expected))
        expect(tile.nodes.length).toBeLessThan(2 * width * hashBytes)
      }
    }),
  )
})

test('the largest power of two below a number is right up to 2^53', () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: Number.MAX_SAFE_INTEGER }), (n) => {
      const power = largestPowerOfTwoBelow(n)
      expect(power < n && power * 2 >= n && Number.isInteger(Math.log2(power))).toBe(true)
    }),
  )
})

describe('a prover', () => {
  test('gives the same proofs whatever was asked for before, however little it keeps, while the log grows', async () => {
    const asked = fc.array(fc.tuple(fc.integer({ min: 1, max: leaves.length }), fc.nat(), fc.nat()), { maxLength: 30 })
    await fc.assert(
      fc.asyncProperty(asked, fc.integer({ min: 0, max: 6 }), async (questions, maxTiles) => {
        const memory = createTileMemory()
        const prover = createProver({ readTiles: memory.readTiles, maxTiles })
        let edge = emptyEdge
        for (const [upTo, at, older] of questions) {
          const { changed, edge: grown } = appendLeaves(edge, leaves.slice(edge.size, Math.max(edge.size, upTo)))
          memory.put(changed)
          edge = grown
          const root = rootOfLeaves(leaves.slice(0, upTo))
          expect(toHex(await prover.root(upTo))).toBe(toHex(root))
          const index = at % upTo
          const proof = await prover.inclusionProof(index, upTo)
          verifyInclusion(leaves[index] ?? emptyRoot(), { index, size: upTo, root, proof })
          const again = await prover.inclusionProof(index, upTo)
          expect(again.map(toHex)).toEqual(proof.map(toHex))
          const from = older % (upTo + 1)
          const between = await prover.consistencyProof(from, upTo)
          const before = { size: from, root: rootOfLeaves(leaves.slice(0, from)) }
          verifyConsistency(before, { size: upTo, root }, between)
        }
      }),
      { numRuns: 40 },
    )
  })

  test('reads nothing twice, and gives what nobody can spoil for others', async () => {
    const { readTiles, reads } = counting(memoryOf(1500).readTiles)
    const prover = createProver({ readTiles })
    const first = await prover.inclusionProof(700, 1500)
    const before = reads.length
    for (const hash of first) hash.fill(0)
    const again = await prover.inclusionProof(700, 1500)
    expect(reads.length).toBe(before)
    verifyInclusion(leaves[700] ?? emptyRoot(), { index: 700, size: 1500, root: rootOfLeaves(leaves), proof: again })
  })

  test('keeps no more tiles than it may', async () => {
    const { readTiles, reads } = counting(memoryOf(1500).readTiles)
    const prover = createProver({ readTiles, maxTiles: 4 })
    for (let index = 0; index < 1500; index += 256) await prover.inclusionProof(index, 1500)
    const before = reads.length
    await prover.inclusionProof(0, 1500)
    expect(reads.length).toBeGreaterThan(before)
  })

  test('refuses trees that cannot be, and says which tile is missing', async () => {
    const prover = createProver({ readTiles: memoryOf(300).readTiles })
    for (const [index, size] of [
      [-1, 5],
      [5, 5],
      [0.5, 5],
      [0, 2 ** 53],
    ] as const)
      await expect(prover.inclusionProof(index, size)).rejects.toThrow(RangeError)
    await expect(prover.consistencyProof(6, 5)).rejects.toThrow(RangeError)
    await expect(prover.root(-1)).rejects.toThrow(RangeError)
    await expect(prover.inclusionProof(299, 301)).rejects.toThrow('no tile 0/1 of that width')
  })
})

describe('a log of more than 2^40 entries', () => {
  /** Every leaf is the same, so a node's hash is known from its height alone and no tile need be stored. */
  const heights: Uint8Array[] = [leafHash(new Uint8Array(32))]
  for (let height = 0; height < 53; height++) heights.push(nodeHash(at(height), at(height)))
  const readTiles: ReadTiles = async (tiles) =>
    tiles.map(({ level, width }) => {
      const hashes = new Uint8Array(width * hashBytes)
      for (let i = 0; i < width; i++) hashes.set(at(level * 8), i * hashBytes)
      return hashes
    })
  const sizes = fc.oneof(
    fc.integer({ min: 2 ** 40, max: Number.MAX_SAFE_INTEGER }),
    fc.constantFrom(2 ** 40, 2 ** 40 + 1, 2 ** 48 - 1, 2 ** 48, 2 ** 52, Number.MAX_SAFE_INTEGER),
  )
  const prover = createProver({ readTiles })

  function at(height: number): Uint8Array {
    return heights[height] ?? emptyRoot()
  }

  /** The root by its definition: of the largest perfect tree and the rest. */
  function rootOf(size: number): Uint8Array {
    const height = Math.round(Math.log2(size))
    if (2 ** height === size) return at(height)
    const split = largestPowerOfTwoBelow(size)
    return nodeHash(rootOf(split), rootOf(size - split))
  }

  test('has inclusion proofs that verify and that travel as text', async () => {
    const signer = await signerFromSeed(new Uint8Array(32).fill(3))
    const key = verifierKey('big.example', signer.publicKey)
    await fc.assert(
      fc.asyncProperty(sizes, fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }), async (size, where) => {
        const index = Math.floor(where * size)
        const root = rootOf(size)
        const hashes = await prover.inclusionProof(index, size)
        expect(hashes.length).toBe(inclusionRanges(index, size).length)
        // By now all of it is remembered.
        expect((await prover.inclusionProof(index, size)).map(toHex)).toEqual(hashes.map(toHex))
        const note = await signCheckpoint({ origin: 'big.example', size, root }, signer)
        const parsed = parseTlogProof(formatTlogProof({ index, hashes, checkpoint: note }))
        const head = verifyCheckpoint(parsed.checkpoint, key)
        verifyInclusion(at(0), { index: parsed.index, size: head.size, root: head.root, proof: parsed.hashes })
        expect(() =>
          verifyInclusion(emptyRoot(), { index, size: head.size, root: head.root, proof: parsed.hashes }),
        ).toThrow()
      }),
      { numRuns: 60 },
    )
  })

  test('has consistency proofs that verify', async () => {
    await fc.assert(
      fc.asyncProperty(sizes, sizes, async (a, b) => {
        const [from, to] = a < b ? [a, b] : [b, a]
        const proof = await prover.consistencyProof(from, to)
        if (from < to) expect(proof.length).toBe(consistencyRanges(from, to).length)
        const [older, newer] = [
          { size: from, root: rootOf(from) },
          { size: to, root: rootOf(to) },
        ]
        verifyConsistency(older, newer, proof)
        expect(() => verifyConsistency({ ...older, root: emptyRoot() }, newer, proof)).toThrow()
      }),
      { numRuns: 60 },
    )
  })

  test('goes on from its edge', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 2 ** 40, max: 2 ** 53 - 1000 }), fc.nat({ max: 600 }), async (size, more) => {
        const edge = await readEdge(size, readTiles)
        expect(toHex(rootOfEdge(edge))).toBe(toHex(rootOf(size)))
        const { root, changed } = appendLeaves(
          edge,
          Array.from({ length: more }, () => at(0)),
        )
        expect(toHex(root)).toBe(toHex(rootOf(size + more)))
        for (const { hashes: _, ...tile } of changed) expect(tileIn(size + more, tile.level, tile.index)).toEqual(tile)
      }),
      { numRuns: 30 },
    )
  })

  test('names its tiles by paths that parse', () => {
    fc.assert(
      fc.property(sizes, fc.integer({ min: 0, max: 6 }), (size, level) => {
        const tile = tileIn(size, level, Math.floor(size / 256 ** (level + 1)))
        fc.pre(tile.width > 0)
        expect(parseTilePath(tilePath(tile).slice('tile/'.length))).toEqual(tile)
      }),
    )
  })
})
