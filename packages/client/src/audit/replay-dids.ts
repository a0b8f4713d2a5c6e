import { canonicalBytes, equalBytes, sha256, utf8 } from '@tillit/codec'
import {
  type DidState,
  maxDidLogCharacters,
  maxWitnessFileCharacters,
  nextDidState,
  parseDidLog,
  parseDidWitnessFile,
  publishablePrefix,
  type WitnessedVersion,
  type WitnessProofs,
  webvhLocation,
  webvhWitnessLocation,
  witnessedPrefix,
} from '@tillit/did'
import { isProblem } from '@tillit/problem'
import type { DidLogEntry } from '@tillit/schemas'
import type { CityReader } from './city-reader.ts'
import { concurrentReads } from './city-tiles.ts'
import type { Findings } from './finding.ts'
import { inOrder } from './in-order.ts'
import { type IndexedOpening, readListedDids } from './read-lists.ts'

/** Listed DIDs that are looked for in the log: their names wait in the memory until it is replayed, and a list may be endless. */
const maxListedDids = 250_000

/** The chain of one DID, as the log has it. */
interface Chain {
  /** As it was called when it last was at this city: one that moves away keeps its history at the place that it had here. */
  did: string
  /** Whether it ever was at the host that the log is called by. */
  here: boolean
  state: DidState
  /** SHA-256 of the canonical form of each entry, in the order of the log. */
  readonly digests: Uint8Array[]
  readonly versions: WitnessedVersion[]
  /** An entry in the log did not follow, so what is served cannot be judged by it. */
  broken: boolean
}

/** Replays the chains of the public DIDs in the order of the log, and compares them with what the city serves. */
export class DidReplay {
  readonly #city: CityReader
  readonly #findings: Findings
  readonly #now: () => Date
  readonly #chains = new Map<string, Chain>()
  /** Chains that were not compared with what is served since they grew, or that were behind it then. */
  readonly #pending = new Set<Chain>()
  /** DIDs that the city lists, until the log is seen to hold them. */
  readonly #listed = new Set<string>()
  /** The host of the city's DIDs, as far as the name of its log tells. */
  #host: string | null = null
  #anyHere = false

  constructor(city: CityReader, findings: Findings, now: () => Date) {
    this.#city = city
    this.#findings = findings
    this.#now = now
  }

  get count(): number {
    return this.#chains.size
  }

  /**
   * Reads which DIDs the city lists, each of which the log must hold. Before the newest checkpoint: a DID that comes after
   * it is held by a later one.
   */
  async readListed(): Promise<void> {
    for await (const did of readListedDids(this.#city)) {
      if (this.#listed.size >= maxListedDids) {
        const what = `Only the first ${maxListedDids} DIDs of the list were looked for in the log`
        this.#findings.warning('did-list-missing', '/dids', what)
        return
      }
      this.#listed.add(did)
    }
  }

  /** What the log calls itself: a city calls its log by the host of its DIDs. */
  calledBy(origin: string): void {
    this.#host = URL.canParse(`https://${origin}`) ? new URL(`https://${origin}`).host : null
  }

  /** Takes an entry of the log whose opening was verified. */
  take({ index, entry: opened }: IndexedOpening): void {
    const entry = opened as DidLogEntry
    const chain = this.#chains.get(scidOf(entry)) ?? null
    if (chain?.broken) return
    try {
      const state = nextDidState({ state: chain?.state ?? null, entry, now: this.#now() })
      const known = chain ?? { did: state.did, here: false, state, digests: [], versions: [], broken: false }
      const { versionId, versionNumber, requiredWitness } = state
      known.state = state
      this.#place(known)
      this.#listed.delete(state.did)
      known.digests.push(digestOf(entry))
      known.versions.push({ versionId, versionNumber, requiredWitness })
      this.#chains.set(state.scid, known)
      this.#pending.add(known)
    } catch (error) {
      if (!isProblem(error)) throw error
      if (chain !== null) chain.broken = true
      const did = chain === null ? '' : ` of ${chain.did}`
      this.#findings.error('did-chain-broken', `index ${index}`, `The entry${did} does not follow: ${error.message}`)
    }
  }

  /**
   * Compares every chain with its did.jsonl and did-witness.json, but not twice without need. Gives how many DIDs serve more
   * than the log holds so far, or are listed without standing in it; the last time that is asked each is a finding.
   */
  async compareServed(options: { final: boolean; onProgress: (done: number, total: number) => void }): Promise<number> {
    const chains = [...this.#pending]
    let ahead = 0
    let at = 0
    for await (const isAhead of inOrder(chains, concurrentReads, (chain) => this.#compare(chain, options))) {
      const chain = chains[at++]
      options.onProgress(at, chains.length)
      if (isAhead) ahead++
      else if (chain !== undefined) this.#pending.delete(chain)
    }
    if (options.final)
      for (const did of this.#listed)
        this.#findings.error('did-not-logged', did, 'The city lists the DID, but no entry in its log is of it')
    return ahead + this.#listed.size
  }

  /** Where no DID is at the host that the log is called by, the city's DIDs have another: each is then asked for at its first place. */
  #place(chain: Chain): void {
    const { did } = chain.state
    if (webvhLocation(did).host !== this.#host) return
    chain.did = did
    chain.here = true
    this.#anyHere = true
  }

  async #compare(chain: Chain, { final }: { final: boolean }): Promise<boolean> {
    if (chain.broken) return false
    const { did } = chain
    if (this.#anyHere && !chain.here) {
      // One that is on its way in is at another host until the entry that brings it; any other would hide from this comparison.
      if (final)
        this.#findings.warning(
          'did-elsewhere',
          did,
          'It is at another host than the log is called by, so it was not compared',
        )
      return true
    }
    const { pathname } = webvhLocation(did)
    const served = await this.#served(pathname, did)
    if (served === null) return false
    if (served.length === 0 && chain.versions[0]?.requiredWitness === null) {
      this.#findings.error('did-log-missing', pathname, 'The city has no history of the DID')
      return false
    }
    const differs = chain.digests.findIndex((digest, i) => {
      const other = served[i]
      return other !== undefined && !equalBytes(digest, other)
    })
    if (differs >= 0) {
      this.#findings.error('did-entry-differs', did, `Entry ${differs + 1} of ${pathname} is not the one in the log`)
      return false
    }
    if (served.length < chain.digests.length) await this.#judgeShort(chain, served.length)
    else await this.#judgeWitnesses(chain)
    if (served.length <= chain.digests.length) return false
    const more = served.length - chain.digests.length
    if (final) this.#findings.error('did-entry-not-logged', did, `${more} of the entries served are not in the log`)
    return true
  }

  /** Nothing is served of a DID whose first entry waits for its witnesses. */
  async #served(pathname: string, did: string): Promise<Uint8Array[] | null> {
    const text = await this.#city.text(pathname, {
      ...{ maxBytes: maxDidLogCharacters, missing: 'did-log-missing', malformed: 'did-log-malformed' },
      ifAbsent: utf8(''),
    })
    if (text === null) return null
    try {
      return parseDidLog(text).map(digestOf)
    } catch (error) {
      if (!isProblem(error)) throw error
      this.#findings.error('did-log-malformed', did, error.message)
      return null
    }
  }

  /** Fewer entries than the log has: right for those that wait for their witnesses, and for no other. */
  async #judgeShort({ did, versions, digests }: Chain, served: number): Promise<void> {
    const next = versions[served]
    if (next !== undefined && next.requiredWitness !== null) {
      const witnessed = publishablePrefix(versions, await this.#witnessProofs(did))
      if (witnessed === served) return
      if (witnessed < served) return this.#unwitnessed(did, witnessed)
    }
    const hidden = digests.length - served
    this.#findings.error('did-entry-hidden', did, `${hidden} entries from version ${served + 1} on are not served`)
  }

  async #judgeWitnesses({ did, versions }: Chain): Promise<void> {
    if (versions.every(({ requiredWitness }) => requiredWitness === null)) return
    const witnessed = witnessedPrefix(versions, await this.#witnessProofs(did))
    if (witnessed < versions.length) this.#unwitnessed(did, witnessed)
  }

  #unwitnessed(did: string, witnessed: number): void {
    this.#findings.error(
      'did-not-witnessed',
      did,
      `Version ${witnessed + 1} is served without the proofs of its witnesses`,
    )
  }

  async #witnessProofs(did: string): Promise<readonly WitnessProofs[]> {
    const { pathname } = webvhWitnessLocation(did)
    const text = await this.#city.text(pathname, {
      ...{ maxBytes: maxWitnessFileCharacters, missing: 'did-not-witnessed', malformed: 'did-not-witnessed' },
      ifAbsent: utf8('[]'),
    })
    if (text === null) return []
    try {
      return parseDidWitnessFile(text)
    } catch (error) {
      if (!isProblem(error)) throw error
      this.#findings.error('did-not-witnessed', pathname, error.message)
      return []
    }
  }
}

/** A DID keeps its SCID through all its life, wherever it moves. */
function scidOf(entry: DidLogEntry): string {
  const { id } = entry.state ?? {}
  return typeof id === 'string' ? (id.split(':')[2] ?? '') : ''
}

function digestOf(entry: DidLogEntry): Uint8Array {
  return sha256(canonicalBytes(entry))
}
