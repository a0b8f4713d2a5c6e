import { equalBytes } from '@tillit/codec'
import {
  appendLeaves,
  createProver,
  emptyEdge,
  hashBytes,
  leafHash,
  parseEntryBundle,
  type ReadTiles,
  rootOfEdge,
  type Tile,
  type TileId,
  type TreeEdge,
  tileWidth,
  verifyInclusion,
} from '@tillit/log'
import { isProblem } from '@tillit/problem'
import type { CityReader } from './city-reader.ts'
import { concurrentReads, pathOfBundle, pathOfTile, readBundle, readTile, tilesOf } from './city-tiles.ts'
import type { Findings } from './finding.ts'
import { inOrder } from './in-order.ts'
import type { PublishedHead } from './published-head.ts'

/** How often it is worked out which of a tile and a bundle is the wrong one; each takes the tiles of a proof. */
const maxDiagnoses = 32

const noHash = new Uint8Array(0)

export interface ReplayedEntry {
  readonly index: number
  readonly hash: Uint8Array
  /** Null when its bundle is missing or wrong: only its leaf hash is known then. */
  readonly bytes: Uint8Array | null
}

/**
 * Replays the tree of a log from its tiles and bundles, in bounded memory: the edge of the tree, and what is read ahead. It
 * can go on as the log grows.
 */
export class TreeReplay {
  readonly #city: CityReader
  readonly #findings: Findings
  #edge: TreeEdge = emptyEdge
  /** Some leaf is not known at all, so no hash above it and no root can be compared. */
  #broken = false
  #diagnoses = 0
  tilesRead = 0

  constructor(city: CityReader, findings: Findings) {
    this.#city = city
    this.#findings = findings
  }

  get size(): number {
    return this.#edge.size
  }

  /** The root of what was replayed; null when a part was missing. */
  get root(): Uint8Array | null {
    return this.#broken ? null : rootOfEdge(this.#edge)
  }

  /**
   * Replays up to the head and compares the tree with it, tile for tile. Gives the entries in order; after each entry
   * before one of `stops` (ascending sizes), `root` is that of the tree so far.
   */
  async *advance(head: PublishedHead, stops: (size: number) => Promise<number | null>): AsyncGenerator<ReplayedEntry> {
    const blocks = inOrder(blocksFrom(this.size, head.size), concurrentReads, (block) => this.#read(block))
    for await (const block of blocks) {
      const { hashes, entries } = await this.#settle(block, head)
      const start = block.index * tileWidth
      let at = this.size - start
      this.#compareBeginning(block, hashes)
      while (at < block.width) {
        const stop = await stops(start + at)
        const to = stop === null ? block.width : Math.min(block.width, stop - start)
        await this.#append(hashes.slice(at, to))
        for (; at < to; at++) yield { index: start + at, hash: hashes[at] ?? noHash, bytes: entries?.[at] ?? null }
      }
    }
    await this.#compareEdge()
    this.#compareRoot(head)
  }

  async #read(block: Block): Promise<ReadBlock> {
    const tile: TileId = { level: 0, ...block }
    const [hashes, bundle] = await Promise.all([readTile(this.#city, tile), readBundle(this.#city, block)])
    this.tilesRead += 2
    return { ...block, hashes: this.#checkTile(tile, hashes), entries: this.#checkBundle(block, bundle) }
  }

  #checkTile(tile: TileId, hashes: Uint8Array | null): Uint8Array[] | null {
    if (hashes === null) return null
    if (hashes.length !== tile.width * hashBytes) {
      this.#findings.error('tile-malformed', pathOfTile(tile), `It is ${hashes.length} bytes long`)
      return null
    }
    return Array.from({ length: tile.width }, (_, i) => hashes.slice(i * hashBytes, (i + 1) * hashBytes))
  }

  #checkBundle(block: Block, bundle: Uint8Array | null): Uint8Array[] | null {
    if (bundle === null) return null
    try {
      const entries = parseEntryBundle(bundle)
      if (entries.length === block.width) return entries
      this.#findings.error('bundle-malformed', pathOfBundle(block), `It holds ${entries.length} entries`)
    } catch (error) {
      if (!isProblem(error)) throw error
      this.#findings.error('bundle-malformed', pathOfBundle(block), error.message)
    }
    return null
  }

  /** The leaf hashes of a block, and its entries where they are those of the tree. */
  async #settle(
    block: ReadBlock,
    head: PublishedHead,
  ): Promise<{ hashes: Uint8Array[]; entries: Uint8Array[] | null }> {
    const { hashes: ofTile, entries } = block
    const ofEntries = entries?.map((entry) => leafHash(entry)) ?? null
    if (ofTile === null && ofEntries === null) {
      this.#broken = true
      return { hashes: Array.from({ length: block.width }, () => new Uint8Array(hashBytes)), entries: null }
    }
    if (ofTile === null) return { hashes: ofEntries ?? [], entries }
    if (ofEntries === null) return { hashes: ofTile, entries: null }
    const at = ofTile.findIndex((hash, i) => !equalBytes(hash, ofEntries[i] ?? noHash))
    if (at < 0) return { hashes: ofTile, entries }
    const index = block.index * tileWidth + at
    if (await this.#leadsTo(head, { block, index, hashes: ofEntries })) {
      this.#findings.error(
        'tile-differs',
        pathOfTile({ level: 0, ...block }),
        `Its hash of entry ${index} is not that of the entry`,
      )
      return { hashes: ofEntries, entries }
    }
    if (await this.#leadsTo(head, { block, index, hashes: ofTile })) {
      this.#findings.error('bundle-differs', pathOfBundle(block), `Its entry ${index} is not that of the tree`)
      return { hashes: ofTile, entries: null }
    }
    this.#findings.error(
      'leaf-not-in-tree',
      `index ${index}`,
      'Neither its tile nor its bundle is under the checkpoint',
    )
    return { hashes: ofTile, entries: null }
  }

  /** Whether the block, if its leaves have these hashes, stands under the root of the checkpoint. */
  async #leadsTo(
    head: PublishedHead,
    { block, index, hashes }: { block: Block; index: number; hashes: readonly Uint8Array[] },
  ): Promise<boolean> {
    const leaf = hashes[index - block.index * tileWidth]
    if (leaf === undefined || this.#diagnoses++ >= 2 * maxDiagnoses) return false
    const { changed } = appendLeaves(emptyEdge, hashes)
    const fromCity = tilesOf(this.#city)
    const readTiles: ReadTiles = async (tiles) => {
      const read = await fromCity(tiles.filter(({ level, index: at }) => level !== 0 || at !== block.index))
      let next = 0
      return tiles.map(({ level, index: at }) =>
        level === 0 && at === block.index
          ? (changed[0]?.hashes ?? new Uint8Array(0))
          : (read[next++] ?? new Uint8Array(0)),
      )
    }
    try {
      const proof = await createProver({ readTiles }).inclusionProof(index, head.size)
      verifyInclusion(leaf, { index, size: head.size, root: head.root, proof })
      return true
    } catch (error) {
      if (!isProblem(error)) throw error
      return false
    }
  }

  /** What was replayed of a partial tile earlier must be the beginning of what it is now. */
  #compareBeginning(block: Block, hashes: readonly Uint8Array[]): void {
    const before = this.#edge.tiles[0] ?? new Uint8Array(0)
    const known = Math.max(0, this.size - block.index * tileWidth)
    for (let i = 0; i < known && !this.#broken; i++) {
      if (equalBytes(before.subarray(i * hashBytes, (i + 1) * hashBytes), hashes[i] ?? noHash)) continue
      this.#findings.error(
        'history-differs',
        `index ${block.index * tileWidth + i}`,
        'The entry changed while the log grew',
      )
      return
    }
  }

  async #append(hashes: readonly Uint8Array[]): Promise<void> {
    const { edge, changed } = appendLeaves(this.#edge, hashes)
    this.#edge = edge
    for (const tile of changed) {
      if (tile.level > 0 && tile.width === tileWidth) await this.#compareTile(tile)
    }
  }

  /** The partial tiles above the leaves; those of the leaves were read with their bundles. */
  async #compareEdge(): Promise<void> {
    for (const [level, hashes] of this.#edge.tiles.entries()) {
      const width = hashes.length / hashBytes
      const index = Math.floor(this.size / tileWidth ** (level + 1))
      if (level > 0 && width > 0) await this.#compareTile({ level, index, width, hashes })
    }
  }

  async #compareTile({ hashes: expected, ...tile }: Tile): Promise<void> {
    const hashes = await readTile(this.#city, tile)
    this.tilesRead++
    if (hashes === null || this.#broken || equalBytes(hashes, expected)) return
    this.#findings.error('tile-differs', pathOfTile(tile), 'Its hashes are not those of the tiles below it')
  }

  #compareRoot(head: PublishedHead): void {
    const { root } = this
    if (root === null)
      this.#findings.warning(
        'root-differs',
        `size ${head.size}`,
        'Leaves are missing, so the root could not be computed',
      )
    else if (!equalBytes(root, head.root))
      this.#findings.error('root-differs', `size ${head.size}`, 'The tiles give another root than the checkpoint')
  }
}

interface Block {
  readonly index: number
  readonly width: number
}

interface ReadBlock extends Block {
  readonly hashes: Uint8Array[] | null
  readonly entries: Uint8Array[] | null
}

function* blocksFrom(from: number, to: number): Generator<Block> {
  for (let index = Math.floor(from / tileWidth); index * tileWidth < to; index++)
    yield { index, width: Math.min(tileWidth, to - index * tileWidth) }
}
