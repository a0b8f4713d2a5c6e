import { toHex } from '@tillit/codec'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { appendLeaves, emptyEdge, rootOfEdge, type TreeEdge } from './append-leaves.ts'
import { consistencyProof, inclusionProof, rootFromTiles } from './build-proof.ts'
import { leafHash, rootOfLeaves } from './merkle.ts'
import { readEdge } from './read-edge.ts'
import type { ReadTiles } from './read-tiles.ts'
import { type Tile, tileIn } from './tile.ts'
import { verifyConsistency } from './verify-consistency.ts'
import { verifyInclusion } from './verify-inclusion.ts'

/** Three levels of tiles would need 65,536 leaves; two levels with several full tiles show every case. */
const largestTree = 1100
const leaves = Array.from({ length: largestTree }, (_, i) => leafHash(Uint8Array.of(i & 255, i >> 8)))
const sizes = fc.oneof(fc.integer({ min: 0, max: largestTree }), fc.constantFrom(1, 255, 256, 257, 511, 512, 513, 1024))

class TileStore {
  readonly #tiles = new Map<string, Tile>()
  reads = 0

  put(tiles: readonly Tile[]): void {
    for (const tile of tiles) this.#tiles.set(`${tile.level}/${tile.index}`, tile)
  }

  read: ReadTiles = (ids) => {
    this.reads += ids.length
    return Promise.resolve(
      ids.map(({ level, index, width }) => {
        const tile = this.#tiles.get(`${level}/${index}`)
        if (tile === undefined || tile.width < width) throw new Error(`no tile ${level}/${index} of width ${width}`)
        return tile.hashes
      }),
    )
  }
}

function grow(chunks: readonly (readonly Uint8Array[])[]): { store: TileStore; edge: TreeEdge } {
  const store = new TileStore()
  let edge = emptyEdge
  for (const chunk of chunks) {
    const appended = appendLeaves(edge, chunk)
    store.put(appended.changed)
    edge = appended.edge
  }
  return { store, edge }
}

const whole = grow([leaves]).store

describe('appending', () => {
  test('gives the root of RFC 9162 however the leaves are cut into chunks', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 300 }), { maxLength: 5 }), (lengths) => {
        const ends = lengths.map((_, i) => lengths.slice(0, i + 1).reduce((sum, length) => sum + length, 0))
        const { edge } = grow(ends.map((end, i) => leaves.slice(ends[i - 1] ?? 0, end)))
        const expected = leaves.slice(0, ends.at(-1) ?? 0)
        expect(edge.size).toBe(expected.length)
        expect(toHex(rootOfEdge(edge))).toBe(toHex(rootOfLeaves(expected)))
      }),
      { numRuns: 60 },
    )
  })

  test('leaves tiles from which the root of every earlier size can be computed', async () => {
    await fc.assert(
      fc.asyncProperty(sizes, async (size) => {
        expect(toHex(await rootFromTiles(size, whole.read))).toBe(toHex(rootOfLeaves(leaves.slice(0, size))))
      }),
      { numRuns: 60 },
    )
  })

  test('can go on from the tiles alone', async () => {
    await fc.assert(
      fc.asyncProperty(sizes, async (size) => {
        const edge = await readEdge(size, whole.read)
        const { root } = appendLeaves(edge, leaves.slice(size))
        expect(toHex(rootOfEdge(edge))).toBe(toHex(rootOfLeaves(leaves.slice(0, size))))
        expect(toHex(root)).toBe(toHex(rootOfLeaves(leaves)))
      }),
      { numRuns: 40 },
    )
  })

  test('changes one tile for each level and not more for one leaf', () => {
    for (const size of [0, 1, 254, 255, 256, 1023]) {
      const { edge } = grow([leaves.slice(0, size)])
      const { changed } = appendLeaves(edge, leaves.slice(size, size + 1))
      expect(changed.length).toBe((size + 1) % 256 === 0 ? 2 : 1)
      for (const tile of changed) expect(tileIn(size + 1, tile.level, tile.index).width).toBe(tile.width)
    }
  })
})

describe('an inclusion proof', () => {
  const cases = fc
    .integer({ min: 1, max: largestTree })
    .chain((size) => fc.tuple(fc.integer({ min: 0, max: size - 1 }), fc.constant(size)))

  test('verifies for every leaf of every tree', async () => {
    await fc.assert(
      fc.asyncProperty(cases, async ([index, size]) => {
        const proof = await inclusionProof(index, size, whole.read)
        verifyInclusion(leaves[index] ?? fail(), { index, size, root: rootOfLeaves(leaves.slice(0, size)), proof })
      }),
    )
  })

  test('fails when any bit of it, of the leaf or of the root is flipped, or it is longer or shorter', async () => {
    await fc.assert(
      fc.asyncProperty(cases, fc.nat(), async ([index, size], at) => {
        const proof = await inclusionProof(index, size, whole.read)
        const parts = [leaves[index] ?? fail(), rootOfLeaves(leaves.slice(0, size)), ...proof]
        const [leaf, root, ...changed] = flip(parts, at)
        const claim = { index, size, root: root ?? fail(), proof: changed }
        expect(() => verifyInclusion(leaf ?? fail(), claim)).toThrow()
        const good = { index, size, root: parts[1] ?? fail(), proof }
        expect(() =>
          verifyInclusion(leaves[index] ?? fail(), { ...good, proof: [...proof, leaves[0] ?? fail()] }),
        ).toThrow()
        if (proof.length > 0)
          expect(() => verifyInclusion(leaves[index] ?? fail(), { ...good, proof: proof.slice(1) })).toThrow()
        expect(() => verifyInclusion(leaves[index] ?? fail(), { ...good, index: size })).toThrow()
      }),
    )
  })

  test('reads a handful of tiles, whatever the size of the tree', async () => {
    const { store } = grow([leaves])
    await inclusionProof(700, largestTree, store.read)
    expect(store.reads).toBeLessThanOrEqual(4)
  })
})

describe('a consistency proof', () => {
  const cases = fc
    .integer({ min: 0, max: largestTree })
    .chain((to) => fc.tuple(fc.integer({ min: 0, max: to }), fc.constant(to)))

  test('verifies between any two sizes', async () => {
    await fc.assert(
      fc.asyncProperty(cases, async ([from, to]) => {
        const proof = await consistencyProof(from, to, whole.read)
        verifyConsistency(head(from), head(to), proof)
      }),
    )
  })

  test('fails when any bit of it or of a root is flipped, and for a fork', async () => {
    await fc.assert(
      fc.asyncProperty(cases, fc.nat(), async ([from, to], at) => {
        const proof = await consistencyProof(from, to, whole.read)
        const parts = from === 0 ? [head(0).root] : [head(from).root, head(to).root, ...proof]
        const [fromRoot, toRoot, ...changed] = flip(parts, at)
        const newer = { size: to, root: toRoot ?? head(to).root }
        expect(() => verifyConsistency({ size: from, root: fromRoot ?? fail() }, newer, changed)).toThrow()
        expect(() => verifyConsistency({ size: to + 1, root: head(to).root }, head(to), proof)).toThrow()
      }),
    )
  })
})

function head(size: number) {
  return { size, root: rootOfLeaves(leaves.slice(0, size)) }
}

/** Flips one bit, somewhere, of one of the parts. */
function flip(parts: readonly Uint8Array[], at: number): Uint8Array[] {
  const changed = parts.map((part) => part.slice())
  const part = changed[at % changed.length]
  const byte = Math.floor(at / changed.length) % 32
  if (part !== undefined) part[byte] = (part[byte] ?? 0) ^ (1 << (at % 8))
  return changed
}

function fail(): never {
  throw new Error('the test is wrong')
}
