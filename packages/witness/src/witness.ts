import { equalBytes } from '@tillit/codec'
import type { MlDsa44Signer, Signer } from '@tillit/keys'
import {
  type Checkpoint,
  type CosignerKey,
  cosignCheckpoint,
  cosignerKey,
  judgeCheckpoint,
  keepSignaturesOf,
  type ParsedAddCheckpoint,
  parseAddCheckpoint,
  type VerifierKey,
} from '@tillit/log'
import { isProblem, Problem } from '@tillit/problem'
import { oneAtATime } from './one-at-a-time.ts'
import type { WitnessRecord } from './witness-record.ts'
import type { WitnessState } from './witness-state.ts'

/** Requests about one log that wait for their turn; each takes one write to the disk. */
const maxWaiting = 32

/** The answer of add-checkpoint (C2SP tlog-witness): an HTTP status, a media type, and a text. */
export interface WitnessReply {
  readonly status: number
  readonly contentType: string
  readonly body: string
}

/** Whoever can be asked to cosign: a witness in this process, or one behind HTTP. */
export interface WitnessPeer {
  /** Takes the body of an add-checkpoint request (formatAddCheckpoint). */
  addCheckpoint(body: string, signal?: AbortSignal): Promise<WitnessReply>
}

/** What an operator of a witness should hear of. */
export type WitnessEvent =
  | { readonly event: 'cosigned'; readonly origin: string; readonly size: number }
  /** The log signed something that was not shown to follow from what was cosigned before. */
  | { readonly event: 'inconsistent'; readonly origin: string; readonly size: number; readonly detail: string }
  | { readonly event: 'evidence-full'; readonly origin: string }
  | { readonly event: 'failed'; readonly origin: string; readonly error: unknown }

export interface WitnessOptions {
  /** Name of the witness's keys, by habit a URL without its scheme. */
  readonly name: string
  /** Each adds its cosignature to every checkpoint. */
  readonly signers: readonly (Signer | MlDsa44Signer)[]
  /** Keys of the logs that are witnessed, by their origins; several of one log while it changes its key. */
  readonly logs: readonly VerifierKey[]
  readonly state: WitnessState
  readonly now: () => Date
  readonly report?: (event: WitnessEvent) => void
}

export interface Witness extends WitnessPeer {
  readonly name: string
  readonly keys: readonly CosignerKey[]
  /** Origins of the logs that are witnessed. */
  readonly origins: readonly string[]
  /** The record of a log; null when nothing of it was cosigned yet. Throws Problem witness-state-damaged. */
  latest(origin: string): Promise<WitnessRecord | null>
}

/**
 * A witness (C2SP tlog-witness): cosigns checkpoints of logs that follow from those it cosigned before. Each cosigned
 * checkpoint is stored durably before its cosignatures are given away, so that no crash makes it cosign a fork.
 */
export function createWitness(options: WitnessOptions): Witness {
  const { name, signers, logs, state, report = () => undefined } = options
  if (signers.length === 0) throw new RangeError('a witness has a key')
  const keys = signers.map(({ publicKey }) => cosignerKey(name, publicKey))
  const origins = [...new Set(logs.map((log) => log.name))]
  const takeTurn = oneAtATime(maxWaiting)
  /** What was given away last of each log: within the same second a new cosignature would say nothing else. */
  const given = new Map<string, { size: number; text: string; timestampSeconds: number; reply: WitnessReply }>()
  const trustedFor = (origin: string) => (origins.includes(origin) ? logs.filter((log) => log.name === origin) : null)

  /** Checks and stores in one turn: between two turns nobody sees an old size (C2SP tlog-witness, the race). */
  async function decide(request: ParsedAddCheckpoint): Promise<WitnessReply> {
    const { origin, size } = request.checkpoint
    const latest = await state.latest(origin)
    // A record that was taken away or set back while this process runs: to go on from it could cosign a fork.
    if ((latest?.checkpoint.size ?? -1) < (given.get(origin)?.size ?? -1))
      throw new Problem('witness-state-damaged', { detail: `The record of ${origin} is older than what was cosigned` })
    const verdict = judgeCheckpoint(request, { keys: trustedFor(origin), latest: latest?.checkpoint ?? null })
    switch (verdict.verdict) {
      case 'refused':
        return plain(verdict.status, verdict.detail)
      case 'other-size':
        return { status: verdict.status, contentType: 'text/x.tlog.size', body: `${verdict.size}\n` }
      case 'inconsistent':
        // Anyone can put a wrong proof before the checkpoint that was cosigned last, or before a first one: that says nothing
        // against the log, and there is no room for evidence to lose.
        if (latest === null || isSameTree(latest.checkpoint, request.checkpoint))
          return plain(verdict.status, verdict.detail)
        report({ event: 'inconsistent', origin, size, detail: verdict.detail })
        await keepEvidence(request, latest)
        return plain(verdict.status, verdict.detail)
      case 'cosign':
        return cosign(request, latest)
    }
  }

  async function cosign(request: ParsedAddCheckpoint, latest: WitnessRecord | null): Promise<WitnessReply> {
    const { checkpoint, parsedNote } = request
    const clockSeconds = Math.floor(options.now().getTime() / 1000)
    const before = given.get(checkpoint.origin)
    // Anyone can send the newest checkpoint again, as often as they like; it must not cost a write each time.
    if (before?.text === parsedNote.text && before.timestampSeconds >= clockSeconds) return before.reply
    // A clock that was set back must not make a newer cosignature look older.
    const timestampSeconds = Math.max(clockSeconds, latest?.timestampSeconds ?? 0)
    const cosignatures = await Promise.all(
      signers.map((signer) => cosignCheckpoint(parsedNote.text, { name, signer, timestampSeconds })),
    )
    const note = keepSignaturesOf(trustedFor(checkpoint.origin) ?? [], parsedNote) + cosignatures.join('')
    // A crash before this returns: nobody has the cosignatures, whichever record stands. After it: the record stands.
    await state.save({ checkpoint, timestampSeconds, note })
    report({ event: 'cosigned', origin: checkpoint.origin, size: checkpoint.size })
    const reply = plain(200, cosignatures.join('').trimEnd())
    given.set(checkpoint.origin, { size: checkpoint.size, text: parsedNote.text, timestampSeconds, reply })
    return reply
  }

  /** The refusal stands whether or not the evidence could be kept. */
  async function keepEvidence({ note, parsedNote, checkpoint }: ParsedAddCheckpoint, latest: WitnessRecord) {
    const { origin } = checkpoint
    const text = `refused:\n\n${note}\ncosigned before:\n\n${latest.note}`
    try {
      if (!(await state.keepEvidence(parsedNote.text, text))) report({ event: 'evidence-full', origin })
    } catch (error) {
      report({ event: 'failed', origin, error })
    }
  }

  return {
    name,
    keys,
    origins,
    latest: (origin) => state.latest(origin),
    async addCheckpoint(body, signal) {
      signal?.throwIfAborted()
      const request = parseOrExplain(body)
      if (typeof request === 'string') return plain(400, request)
      const { origin } = request.checkpoint
      // What needs no record is refused before the queue, so that strangers cannot fill it.
      const early = judgeCheckpoint(request, { keys: trustedFor(origin), latest: null })
      if (early.verdict === 'refused') return plain(early.status, early.detail)
      try {
        const reply = await takeTurn(origin, () => decide(request))
        return reply ?? plain(503, 'Too many requests about this log are under way')
      } catch (error) {
        report({ event: 'failed', origin, error })
        return plain(500, 'The witness could not store the checkpoint')
      }
    },
  }
}

function isSameTree(one: Checkpoint, other: Checkpoint): boolean {
  return one.size === other.size && equalBytes(one.root, other.root)
}

/** The request, or in words what is wrong with it. */
function parseOrExplain(body: string): ParsedAddCheckpoint | string {
  try {
    return parseAddCheckpoint(body)
  } catch (error) {
    if (!isProblem(error, 'invalid-checkpoint')) throw error
    return error.message
  }
}

function plain(status: number, text: string): WitnessReply {
  return { status, contentType: 'text/plain; charset=utf-8', body: `${text}\n` }
}
