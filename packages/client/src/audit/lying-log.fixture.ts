import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { sha256, toBase64url, toHex, utf8 } from '@tillit/codec'
import { createDid, type DidState, didKeyFor, formatDidLog, updateDid, verifyDidLog, witnessEntry } from '@tillit/did'
import { type Signer, signerFromSeed } from '@tillit/keys'
import {
  appendLeaves,
  commit,
  cosignCheckpoint,
  cosignerKey,
  createProver,
  emptyEdge,
  encodeEntryBundle,
  formatCosignerKey,
  formatTlogProof,
  formatVerifierKey,
  hashBytes,
  leafHash,
  logEntry,
  parseLogEntry,
  parseTilePath,
  rootOfEdge,
  saltBytes,
  signCheckpoint,
  type TreeEdge,
  tileIn,
  tileWidth,
  verifierKey,
} from '@tillit/log'
import type { AnchorEvidence, DidLogEntry } from '@tillit/schemas'
import type { LedgerHead } from './check-anchors.ts'
import { pathOfTile } from './city-tiles.ts'

export const origin = 'city.example/log'
export const contract = `0x${'5f'.repeat(20)}`
export const now = new Date('2026-03-01T12:00:00Z')

interface Opening {
  index: number
  kind: string
  entry: object
  salt: string
  commitment: string
}

/** The published parts of a log: what a city would answer at a path; null: 404. */
type Lie = (honest: Uint8Array | null) => Uint8Array | null

/**
 * An honest city's log in memory, over HTTP, and lies by path: each gets what the honest city would answer. It publishes
 * under one Ed25519 witness of its own.
 */
export class LyingLog {
  readonly lies = new Map<string, Lie>()
  readonly dids = new Map<string, { entries: DidLogEntry[]; witness: string | null }>()
  readonly openings: Opening[] = []
  readonly anchors: AnchorEvidence[] = []
  /** Those that were published, by size. */
  readonly checkpoints: { size: number; note: string }[] = []
  readonly ledger: LedgerHead[] = []
  readonly status: Record<string, unknown> = { self_witnessed: true, publishing_fault: null, unanchored: null }
  readonly entries: Uint8Array[] = []
  /** Signs and cosigns checkpoints. */
  cosigned = true
  size = 0
  note = ''
  url = ''
  #edge: TreeEdge = emptyEdge
  readonly #origin: string
  readonly #logSigner: Signer
  readonly #witness: Signer
  #stop: () => Promise<void> = async () => undefined

  private constructor(called: string, logSigner: Signer, witness: Signer) {
    this.#origin = called
    this.#logSigner = logSigner
    this.#witness = witness
  }

  static async start(called = origin): Promise<LyingLog> {
    const log = new LyingLog(called, await signerOf(1), await signerOf(2))
    const server = createServer(async (request, response) => {
      const path = decodeURI(request.url ?? '/')
      const body = log.answer(path) ?? (await log.#proof(path))
      response.writeHead(body === null ? 404 : 200, { 'access-control-allow-origin': '*' })
      response.end(body)
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    log.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    log.#stop = async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    }
    return log
  }

  stop(): Promise<void> {
    return this.#stop()
  }

  get vkey(): string {
    return formatVerifierKey(verifierKey(this.#origin, this.#logSigner.publicKey))
  }

  get policy(): string {
    const witness = formatCosignerKey(cosignerKey('witness.example', this.#witness.publicKey))
    return `log ${this.vkey}\nwitness w1 ${witness}\nquorum w1\n`
  }

  /** Appends entries that nobody but their owners can open. */
  addUnlisted(count: number): void {
    this.#add(Array.from({ length: count }, (_, i) => logEntry(sha256(utf8(`entry ${this.size + i}`)))))
  }

  /** Appends a public entry and its opening; its salt stands in the log unless the entry is of the older form. */
  addPublic(entry: DidLogEntry, { saltInLog = true } = {}): void {
    const salt = sha256(utf8(entry.versionId)).slice(0, saltBytes)
    const commitment = commit(salt, entry)
    const opening = { kind: 'did', entry, salt: toBase64url(salt), commitment: toHex(commitment) }
    this.openings.push({ index: this.size, ...opening })
    this.#add([logEntry(commitment, saltInLog ? salt : null)])
  }

  /** A new public DID, served and logged. */
  async addDid(seed: number, { witness }: { witness?: Signer } = {}): Promise<string> {
    const signer = await signerOf(seed)
    const required =
      witness === undefined ? {} : { witness: { threshold: 1, witnesses: [{ id: didKeyFor(witness.publicKey) }] } }
    const host = 'city.example'
    const { did, entry } = await createDid({ signer, host, path: ['dids', '{SCID}'], now: at(0), ...required })
    this.dids.set(did, { entries: [entry], witness: witness === undefined ? null : await proofsOf(entry, witness) })
    this.addPublic(entry, { saltInLog: seed % 2 === 0 })
    return did
  }

  /** The next entry of a public DID, served and logged unless `logged` is false. */
  async updateDid(did: string, seed: number, { logged = true, witness }: { logged?: boolean; witness?: Signer } = {}) {
    const known = this.dids.get(did)
    if (known === undefined) throw new Error('there is no such DID')
    const state: DidState = verifyDidLog(known.entries, { now })
    const services = () => [
      { id: `${did}#v`, type: 'Version', serviceEndpoint: `https://city.example/${state.versionNumber}` },
    ]
    const entry = await updateDid(state, {
      signer: await signerOf(seed),
      now: at(state.versionNumber),
      services,
    })
    known.entries.push(entry)
    if (witness !== undefined) known.witness = await proofsOf(entry, witness)
    if (logged) this.addPublic(entry)
    return entry
  }

  /** Signs a checkpoint of all entries, cosigns it, and anchors it when asked to. */
  async publish({ anchored = false, timestampSeconds = now.getTime() / 1000 } = {}): Promise<void> {
    const checkpoint = { origin: this.#origin, size: this.size, root: rootOfEdge(this.#edge) }
    const signed = await signCheckpoint(checkpoint, this.#logSigner)
    const text = signed.slice(0, signed.indexOf('\n\n') + 1)
    const cosigner = { name: 'witness.example', signer: this.#witness, timestampSeconds }
    this.note = this.cosigned ? signed + (await cosignCheckpoint(text, cosigner)) : signed
    if (this.checkpoints.at(-1)?.size === this.size) this.checkpoints.pop()
    this.checkpoints.push({ size: this.size, note: this.note })
    if (anchored) this.anchor(checkpoint.root)
    this.status.signed_size = this.size
    this.status.last_anchor = this.anchors.at(-1) ?? null
  }

  anchor(root: Uint8Array): void {
    const transaction = `0x${toHex(sha256(utf8(String(this.size))))}`
    const place = { chain_id: 31337, contract, transaction, block_number: this.size, anchored_at: now.toISOString() }
    this.anchors.push({ ...place, size: this.size, root: toHex(root) })
    this.ledger.push({ size: this.size, root, transaction })
  }

  /** What the city answers, lies and all. */
  answer(path: string): Uint8Array | null {
    const honest = this.#honest(path)
    const lie = this.lies.get(path) ?? this.lies.get(path.split('?')[0] ?? '')
    return lie === undefined ? honest : lie(honest)
  }

  #honest(path: string): Uint8Array | null {
    const { pathname, searchParams } = new URL(path, 'http://city.example')
    if (pathname === '/log/checkpoint') return utf8(this.note)
    if (pathname === '/log/checkpoints')
      return this.#page('checkpoints', 'size', 'next_min_size', searchParams, this.checkpoints)
    if (pathname === '/log/policy') return utf8(this.policy)
    if (pathname.startsWith('/log/tile/')) return this.#tile(pathname.slice('/log/tile/'.length))
    if (pathname === '/registry/ledger') return json(this.status)
    if (pathname === '/dids') return this.#listed(searchParams.get('after') ?? '')
    if (pathname.startsWith('/log/openings/')) {
      const opening = this.openings.find(({ commitment }) => pathname === `/log/openings/${commitment}`)
      return opening === undefined ? null : json({ ...opening, index: undefined })
    }
    if (pathname === '/log/openings') return this.#page('openings', 'index', 'next_from', searchParams, this.openings)
    if (pathname === '/registry/anchors')
      return this.#page('anchors', 'size', 'next_min_size', searchParams, this.anchors)
    for (const [did, { entries, witness }] of this.dids) {
      const folder = `/dids/${did.split(':')[2]}`
      if (pathname === `${folder}/did.jsonl`) return utf8(formatDidLog(entries))
      if (pathname === `${folder}/did-witness.json`) return witness === null ? null : utf8(witness)
    }
    return null
  }

  /** The proof of a leaf under the newest checkpoint, which is never anchored. */
  async #proof(path: string): Promise<Uint8Array | null> {
    const [, commitment] = /^\/log\/leaves\/([0-9a-f]{64})\/proof$/.exec(path) ?? []
    const index = this.entries.findIndex((entry) => toHex(parseLogEntry(entry).commitment) === commitment)
    const entry = this.entries[index]
    if (commitment === undefined || entry === undefined) return null
    const prover = createProver({
      readTiles: async (tiles) => tiles.map((tile) => this.#honest(pathOfTile(tile)) ?? new Uint8Array(0)),
    })
    const hashes = await prover.inclusionProof(index, this.size)
    const proof = formatTlogProof({ index, hashes, checkpoint: this.note })
    const log = { origin: this.#origin, vkey: this.vkey, self_witnessed: true }
    const logged = entry.length === hashBytes ? {} : { entry: toHex(entry) }
    return json({ commitment, index, ...logged, proof, anchor: null, log })
  }

  #tile(path: string): Uint8Array | null {
    const { level, index, width } = parseTilePath(path)
    if (level === 'entries') return encodeEntryBundle(this.entries.slice(index * tileWidth, index * tileWidth + width))
    if (tileIn(this.size, level, index).width < width) return null
    return this.#tiles.get(`${level}/${index}`)?.slice(0, width * hashBytes) ?? null
  }

  readonly #tiles = new Map<string, Uint8Array>()

  #page(name: string, by: string, next: string, query: URLSearchParams, items: readonly object[]): Uint8Array {
    const from = Number(query.get('from') ?? query.get('min_size') ?? 0)
    // Pages of two, so that every test turns pages.
    const rest = items.filter((item) => Number(Reflect.get(item, by)) >= from)
    const following = rest[2]
    return json({ [name]: rest.slice(0, 2), [next]: following === undefined ? null : Reflect.get(following, by) })
  }

  #listed(after: string): Uint8Array {
    const rest = [...this.dids.keys()].sort().filter((did) => did > after)
    const dids = rest
      .slice(0, 2)
      .map((did) => ({ did, version_id: this.dids.get(did)?.entries.at(-1)?.versionId ?? '' }))
    return json({ dids, next_after: rest.length > 2 ? rest[1] : null })
  }

  #add(entries: readonly Uint8Array[]): void {
    const { edge, changed } = appendLeaves(
      this.#edge,
      entries.map((entry) => leafHash(entry)),
    )
    this.#edge = edge
    for (const { level, index, hashes } of changed) this.#tiles.set(`${level}/${index}`, hashes)
    this.entries.push(...entries)
    this.size += entries.length
  }
}

export function signerOf(seed: number): Promise<Signer> {
  return signerFromSeed(new Uint8Array(32).fill(seed))
}

/** A log with everything in it: unlisted entries, three public DIDs, one of them witnessed, and three anchors. */
export async function startLyingLog(): Promise<LyingLog & { plain: string; witnessed: string }> {
  const log = await LyingLog.start()
  const witness = await signerOf(50)
  log.addUnlisted(3)
  const plain = await log.addDid(10)
  await log.addDid(11)
  log.addUnlisted(100)
  await log.publish({ anchored: true })
  const witnessed = await log.addDid(12, { witness })
  log.addUnlisted(300)
  await log.updateDid(plain, 10)
  await log.publish({ anchored: true })
  log.addUnlisted(180)
  await log.updateDid(plain, 10)
  await log.updateDid(witnessed, 12, { witness })
  log.addUnlisted(20)
  await log.publish({ anchored: true })
  return Object.assign(log, { plain, witnessed })
}

export function json(value: unknown): Uint8Array {
  return utf8(JSON.stringify(value))
}

function at(minutes: number): Date {
  return new Date(now.getTime() - 3_600_000 + minutes * 60_000)
}

async function proofsOf(entry: DidLogEntry, witness: Signer): Promise<string> {
  return JSON.stringify([await witnessEntry(entry.versionId, witness, now)])
}
