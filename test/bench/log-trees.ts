import {
  appendLeaves,
  createTileMemory,
  leafHash,
  nodeHash,
  type TileMemory,
  type TreeEdge,
  tileWidth,
} from '@tillit/log'

export interface BenchTree {
  readonly size: number
  readonly edge: TreeEdge
  readonly memory: TileMemory
}

const hashBytes = 32

/**
 * A tree of any size within a second: its leaves repeat after 256, so all full tiles of a level hold the same hashes and one of each is
 * computed. Each tile is still a buffer of its own, as in a log of different leaves, so reading them costs what it costs there.
 */
export function repeatingTree(size: number): BenchTree {
  const memory = createTileMemory()
  const edgeTiles: Uint8Array[] = []
  let full = new Uint8Array(tileWidth * hashBytes)
  for (let i = 0; i < tileWidth; i++) full.set(repeatedLeaf(i), i * hashBytes)
  for (let level = 0, hashes = size; hashes > 0; level++) {
    const fullTiles = Math.floor(hashes / tileWidth)
    for (let index = 0; index < fullTiles; index++)
      memory.put([{ level, index, width: tileWidth, hashes: full.slice() }])
    const width = hashes % tileWidth
    const partial = full.slice(0, width * hashBytes)
    if (width > 0) memory.put([{ level, index: fullTiles, width, hashes: partial }])
    edgeTiles.push(partial)
    full = tileOf(rootOfFull(full))
    hashes = fullTiles
  }
  return { size, edge: { size, tiles: edgeTiles }, memory }
}

/** The leaf hash at an index of a repeating tree. */
export function repeatedLeaf(index: number): Uint8Array {
  return leafHash(Uint8Array.of(index % tileWidth))
}

/** A tree of leaves that all differ, grown as a log grows. */
export function grownTree(size: number, batch = 1000): BenchTree {
  const memory = createTileMemory()
  let edge: TreeEdge = { size: 0, tiles: [] }
  while (edge.size < size) {
    const appended = appendLeaves(edge, differentLeaves(edge.size, Math.min(batch, size - edge.size)))
    memory.put(appended.changed)
    edge = appended.edge
  }
  return { size, edge, memory }
}

export function differentLeaves(from: number, count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, i) => {
    const data = new Uint8Array(hashBytes)
    new DataView(data.buffer).setFloat64(0, from + i)
    return leafHash(data)
  })
}

function tileOf(hash: Uint8Array): Uint8Array<ArrayBuffer> {
  const hashes = new Uint8Array(tileWidth * hashBytes)
  for (let i = 0; i < tileWidth; i++) hashes.set(hash, i * hashBytes)
  return hashes
}

function rootOfFull(hashes: Uint8Array): Uint8Array {
  let row = Array.from({ length: tileWidth }, (_, i) => hashes.slice(i * hashBytes, (i + 1) * hashBytes))
  while (row.length > 1)
    row = Array.from(
      { length: row.length / 2 },
      (_, i) => nodeHash(pick(row, 2 * i), pick(row, 2 * i + 1)) as Uint8Array<ArrayBuffer>,
    )
  return pick(row, 0)
}

function pick(row: readonly Uint8Array[], index: number): Uint8Array {
  return row[index] ?? new Uint8Array(0)
}
