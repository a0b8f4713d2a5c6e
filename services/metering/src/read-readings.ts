import type { Caller } from '@tillit/http'
import { aggregate, methodOf, nominalSeconds, unitOf, type WindowValue, windows } from '@tillit/metering'
import {
  type Decision,
  decide,
  type PreparedPath,
  parseGranularity,
  type ReasonCode,
  refusalForReader,
} from '@tillit/policy'
import { Problem } from '@tillit/problem'
import type { BatchClaims } from '@tillit/schemas'
import { ownPaths, permissionPaths } from './access-paths.ts'
import type { MeteringPorts } from './ports.ts'
import { holdingPermissions, type ReadContext } from './read-store.ts'
import { newRecordId, recordAccess } from './record-access.ts'
import { instantText, renderSeries, type SeriesFormat } from './render-series.ts'
import type { Span, Store, Stream } from './store.ts'
import { storedResolution } from './stored-resolution.ts'

/** Most values of one answer: a year of quarter hours and some. */
export const maxValues = 40_000

/** Longest period of one answer, so that a read of years does not load a lifetime of readings. */
export const maxPeriodDays = 1830

/** Data leaves under the metering point's own id: there are no recipient-specific ids yet. */
const releasedForms = ['identified'] as const

export interface ReadAsk {
  caller: Caller
  pointId: string
  from: Date
  to: Date
  /** Null: the finest that is allowed. */
  granularity: string | null
  product: BatchClaims['product']
  direction: BatchClaims['direction']
  purpose: string | null
  format: SeriesFormat
}

export interface Answer {
  recordId: string
  body: Uint8Array
}

/**
 * Reads a meter for whoever may. One snapshot holds the caller's paths, the decision, the readings and the access record:
 * no record, no data. The permissions stay held until `deliver` has handed the answer over, so a revocation that is
 * acknowledged finds no answer under way. A refusal is recorded too, then thrown as Problem access-denied, the same
 * whether or not the point exists.
 */
export async function readReadings(
  ports: MeteringPorts,
  ask: ReadAsk,
  deliver: (answer: Answer) => Promise<void>,
): Promise<void> {
  checkAsk(ask)
  const { caller, pointId } = ask
  // A customer's own data needs no permission, so nothing is held for it.
  await holdingPermissions(ports.db, { pointId, callerDid: caller.id }, async (held, inSnapshot) => {
    const outcome = await inSnapshot(async ({ store, readContext }) => {
      const at = ports.now()
      const stream: Stream = { pointId, product: ask.product, direction: ask.direction }
      const span = { fromMs: ask.from.getTime(), toMs: Math.min(ask.to.getTime(), at.getTime()) }
      const context = await readContext({ callerId: caller.id, stream, span })
      if (!context) return refused('no-permission')
      const paths = caller.kind === 'customer' ? ownPaths(context, caller.id) : permissionPaths(context, held)
      return decideAndRecord(store, ports, { ask, at, stream, span, context, paths })
    })
    if (outcome.answer === null)
      throw new Problem('access-denied', {
        detail: outcome.detail,
        extra: { reasons: outcome.reasons },
      })
    await deliver(outcome.answer)
  })
}

type Outcome = { answer: Answer } | { answer: null; detail: string; reasons: string[] }

function refused(code: ReasonCode): Outcome {
  return { answer: null, detail: refusalForReader(code), reasons: [code] }
}

interface Undecided {
  ask: ReadAsk
  at: Date
  stream: Stream
  span: Span
  context: ReadContext
  paths: PreparedPath[]
}

async function decideAndRecord(
  store: Store,
  ports: MeteringPorts,
  { ask, at, stream, span, context, paths }: Undecided,
): Promise<Outcome> {
  const { point } = context
  const stored = storedResolution(context.durationSeconds)
  const decision = decide(
    {
      ...{ caller: ask.caller.id, action: 'read', resource: `gsrn:${point.gsrn}`, datatype: 'validated_history' },
      ...{ product: ask.product, direction: ask.direction, period: { from: ask.from, to: ask.to } },
      ...{ granularity: ask.granularity, resolution: stored?.coarsest ?? null, purpose: ask.purpose },
      forms: releasedForms,
    },
    paths,
    at,
  )
  const recordId = newRecordId(ports)
  const party = context.parties.find(({ did }) => did === ask.caller.id)
  const caller = { ...ask.caller, name: ask.caller.kind === 'customer' ? 'customer' : (party?.name ?? 'unknown') }
  const record = (granularity: string | null, released: { values: number; body: Uint8Array } | null) =>
    recordAccess(store, ports, {
      ...{ id: recordId, at, pointId: point.id, caller, period: ask, decision, granularity, released },
    })
  if (decision.decision === 'deny') {
    await record(ask.granularity, null)
    return refused(decision.reasonCode)
  }
  const granularity = grantedGranularity(decision, ask)
  if (stored?.finest != null && nominalSeconds(granularity) < nominalSeconds(stored.finest))
    throw new Problem('invalid-granularity', { detail: 'The data is not kept as fine as this', pointer: 'granularity' })
  // What is the customer's own may be shown as it comes in.
  const filledOnly = decision.reasonCode !== 'own-data'
  const { readings } = context
  const values = await downSample(store, { stream, span, granularity, timeZone: point.time_zone, filledOnly, readings })
  const head = {
    ...{ metering_point: point.id, product: ask.product, direction: ask.direction, unit: unitOf(ask.product) },
    ...{ granularity, time_zone: point.time_zone, access_record: recordId },
    ...{ from: instantText(ask.from.getTime()), to: instantText(ask.to.getTime()) },
  }
  const body = renderSeries(head, values, ask.format)
  await record(granularity, { values: values.length, body })
  return { answer: { recordId, body } }
}

/**
 * Only windows that are over and lie wholly in what was asked, and for others than the customer only those that are
 * filled, so that neither moving edges nor reading the day as it grows, or as it is delivered late, shows more than the
 * granularity does.
 */
async function downSample(
  store: Store,
  {
    stream,
    span,
    granularity,
    timeZone,
    filledOnly,
    readings,
  }: {
    stream: Stream
    span: Span
    granularity: string
    timeZone: string
    filledOnly: boolean
    readings: ReadContext['readings']
  },
): Promise<WindowValue[]> {
  if (span.toMs <= span.fromMs) return []
  if ((span.toMs - span.fromMs) / 1000 / nominalSeconds(granularity) > maxValues)
    throw new Problem('invalid-interval', { detail: `An answer holds ${maxValues} values at most`, pointer: 'to' })
  const options = { granularity, timeZone, ...span }
  const whole = [...windows(options)]
  const [first, last] = [whole[0], whole.at(-1)]
  if (!first || !last) return []
  const inside = readings ?? (await store.readings(stream, { fromMs: first.startMs, toMs: last.endMs }))
  return [...aggregate(inside, { ...options, method: methodOf(stream.product), filledOnly })]
}

function grantedGranularity(decision: Decision & { decision: 'permit' }, ask: ReadAsk): string {
  // Null only for a customer's own data of which nothing is stored: there is nothing to be fine about.
  return decision.obligations.downsampleTo ?? ask.granularity ?? 'P1D'
}

function checkAsk({ from, to, granularity }: ReadAsk): void {
  if (granularity !== null) parseGranularity(granularity, 'granularity')
  if (from >= to) throw new Problem('invalid-interval', { detail: 'The period ends after it begins', pointer: 'to' })
  if (to.getTime() - from.getTime() > maxPeriodDays * 86_400_000)
    throw new Problem('invalid-interval', { detail: `A period is ${maxPeriodDays} days long at most`, pointer: 'to' })
}
