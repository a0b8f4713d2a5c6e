import { type AnchorEvidence, LogEntryKind, type Opening } from '@tillit/schemas'
import type { CityReader } from './city-reader.ts'

/** Items of one page, and the most bytes that it may have: an entry is up to 64 kB, an anchor some hundred bytes. */
const openingsPerPage = 64
const anchorsPerPage = 500
const didsPerPage = 500
const checkpointsPerPage = 100
const maxPageBytes = 8 * 1024 * 1024
/** As in the schema of a DID. */
const maxDidCharacters = 1024

/** An opening and the index of the entry that it opens. */
export interface IndexedOpening extends Opening {
  readonly index: number
}

/**
 * The openings of public entries from an index on, in the order of the log. Ends early, with a finding, when a page is
 * missing, malformed or out of order; a page that does not go forward would never end.
 */
export async function* readOpenings(city: CityReader, from: number): AsyncGenerator<IndexedOpening> {
  for (let next: number | null = from; next !== null; ) {
    const at: number = next
    const page: { items: IndexedOpening[]; next: number | null } | null = await city.json(
      `/log/openings?from=${at}&limit=${openingsPerPage}`,
      {
        ...{ maxBytes: maxPageBytes, missing: 'list-malformed', malformed: 'list-malformed' },
        read: (value) =>
          pageOf(value, { items: 'openings', next: 'next_from', from: at, read: openingOf, by: 'index' }),
      },
    )
    if (page === null) return
    yield* page.items
    next = page.next
  }
}

/** The anchors that the city names, by size; ends as readOpenings does. */
export async function* readAnchorList(city: CityReader, minSize: number): AsyncGenerator<AnchorEvidence> {
  for (let next: number | null = minSize; next !== null; ) {
    const at: number = next
    const page: { items: AnchorEvidence[]; next: number | null } | null = await city.json(
      `/registry/anchors?min_size=${at}&limit=${anchorsPerPage}`,
      {
        ...{ maxBytes: maxPageBytes, missing: 'list-malformed', malformed: 'list-malformed' },
        read: (value) =>
          pageOf(value, { items: 'anchors', next: 'next_min_size', from: at, read: anchorOf, by: 'size' }),
      },
    )
    if (page === null) return
    yield* page.items
    next = page.next
  }
}

/** A published checkpoint, and the size under which it is listed. */
export interface ListedCheckpoint {
  readonly size: number
  readonly note: string
}

/** The checkpoints that the city published and keeps, by size; ends as readOpenings does, but without a list it is a warning. */
export async function* readCheckpointList(city: CityReader, minSize: number): AsyncGenerator<ListedCheckpoint> {
  for (let next: number | null = minSize; next !== null; ) {
    const at: number = next
    const page: { items: ListedCheckpoint[]; next: number | null } | null = await city.json(
      `/log/checkpoints?min_size=${at}&limit=${checkpointsPerPage}`,
      {
        ...{ maxBytes: maxPageBytes, missing: 'checkpoint-list-missing', malformed: 'list-malformed', optional: true },
        read: (value) =>
          pageOf(value, { items: 'checkpoints', next: 'next_min_size', from: at, read: checkpointOf, by: 'size' }),
      },
    )
    if (page === null) return
    yield* page.items
    next = page.next
  }
}

/** The public DIDs that the city says live there; ends as readOpenings does, but a list that is missing is a warning. */
export async function* readListedDids(city: CityReader): AsyncGenerator<string> {
  for (let after: string | null = ''; after !== null; ) {
    const last: string = after
    const place = last === '' ? '' : `&after=${encodeURIComponent(last)}`
    const page: { dids: string[]; next: string | null } | null = await city.json(`/dids?limit=${didsPerPage}${place}`, {
      ...{ maxBytes: maxPageBytes, missing: 'did-list-missing', malformed: 'list-malformed', optional: true },
      read: (value) => didPageOf(value, last),
    })
    if (page === null) return
    yield* page.dids
    after = page.next
  }
}

function didPageOf(value: unknown, after: string): { dids: string[]; next: string | null } {
  const { dids: list, next_after: next } = objectOf(value)
  if (!Array.isArray(list)) throw new TypeError('it has no dids')
  const dids: string[] = []
  let last = after
  for (const item of list) {
    const { did } = objectOf(item)
    if (typeof did !== 'string' || did.length > maxDidCharacters) throw new TypeError('an item is not a DID')
    if (did <= last) throw new TypeError('its items are out of order')
    dids.push(did)
    last = did
  }
  if (next !== null && (next !== last || dids.length === 0)) throw new TypeError('its next page does not lie behind it')
  return { dids, next: next === null ? null : last }
}

interface PageShape<Item> {
  readonly items: string
  readonly next: string
  readonly from: number
  readonly by: keyof Item
  readonly read: (value: unknown) => Item
}

function pageOf<Item>(value: unknown, shape: PageShape<Item>): { items: Item[]; next: number | null } {
  const page = objectOf(value)
  const list = page[shape.items]
  const next = page[shape.next]
  if (!Array.isArray(list)) throw new TypeError(`it has no ${shape.items}`)
  const items = list.map(shape.read)
  let last = shape.from - 1
  for (const item of items) {
    const at = item[shape.by]
    if (typeof at !== 'number' || at <= last) throw new TypeError('its items are out of order')
    last = at
  }
  if (next !== null && (typeof next !== 'number' || !Number.isSafeInteger(next) || next <= last || items.length === 0))
    throw new TypeError('its next page does not lie behind it')
  return { items, next }
}

function openingOf(value: unknown): IndexedOpening {
  const { index, kind, entry, salt, commitment } = objectOf(value)
  if (typeof index !== 'number' || !Number.isSafeInteger(index)) throw new TypeError('an opening has no index')
  if (typeof salt !== 'string' || typeof commitment !== 'string') throw new TypeError('an opening has no salt')
  const known = LogEntryKind.enum.find((one) => one === kind)
  if (known === undefined) throw new TypeError('an opening is of an unknown kind')
  return { index, kind: known, entry: objectOf(entry), salt, commitment }
}

function checkpointOf(value: unknown): ListedCheckpoint {
  const { size, note } = objectOf(value)
  if (typeof size !== 'number' || !Number.isSafeInteger(size)) throw new TypeError('a checkpoint has no size')
  if (typeof note !== 'string') throw new TypeError('a checkpoint has no note')
  return { size, note }
}

function anchorOf(value: unknown): AnchorEvidence {
  const { chain_id, contract, transaction, block_number, size, root, anchored_at } = objectOf(value)
  if (![chain_id, block_number, size].every((number) => Number.isSafeInteger(number)))
    throw new TypeError('an anchor lacks a number')
  if (![contract, transaction, root, anchored_at].every((text) => typeof text === 'string'))
    throw new TypeError('an anchor lacks a text')
  return { chain_id, contract, transaction, block_number, size, root, anchored_at } as AnchorEvidence
}

function objectOf(value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new TypeError('it is not an object')
  return value as Record<string, unknown>
}
