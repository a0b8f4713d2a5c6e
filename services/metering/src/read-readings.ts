import type { Caller } from '@tillit/http'
import { aggregate, methodOf, nominalSeconds, unitOf, type WindowValue, windows } from '@tillit/metering'
import { type Decision, decide, type PreparedPath, parseGranularity } from '@tillit/policy'
import { Problem } from '@tillit/problem'
import type { BatchClaims } from '@tillit/schemas'
import { ownPaths, permissionPaths } from './access-paths.ts'
import type { MeteringPorts } from './ports.ts'
import { newRecordId, recordAccess } from './record-access.ts'
import { instantText, renderSeries, type SeriesFormat } from './render-series.ts'
import { holdingPermissions, type Store, type Stream } from './store.ts'
import { storedResolution } from './stored-resolution.ts'
import type { MeteringPointRow } from './tables.ts'

/** Most values of one answer: a year of quarter hours and some. */
export const maxValues = 40_000

/** Longest period of one answer, so that a read of years does not load a lifetime of readings. */
export const maxPeriodDays = 1830

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
  await holdingPermissions(ports.db, { pointId, callerDid: caller.id }, async (held, snapshot) => {
    const outcome = await snapshot(async (store) => {
      const point = await store.findPoint(pointId)
      if (!point) return { answer: null, reasons: ['no-permission'] }
      const paths =
        caller.kind === 'customer'
          ? await ownPaths(store, point, caller.id)
          : await permissionPaths(store, { pointId, callerDid: caller.id, held })
      return decideAndRecord(store, ports, { ask, point, paths })
    })
    if (outcome.answer === null)
      throw new Problem('access-denied', {
        detail: 'No permission covers this read',
        extra: { reasons: outcome.reasons },
      })
    await deliver(outcome.answer)
  })
}

async function decideAndRecord(
  store: Store,
  ports: MeteringPorts,
  { ask, point, paths }: { ask: ReadAsk; point: MeteringPointRow; paths: PreparedPath[] },
): Promise<{ answer: Answer; reasons: string[] } | { answer: null; reasons: string[] }> {
  const at = ports.now()
  const stream: Stream = { pointId: point.id, product: ask.product, direction: ask.direction }
  const span = { fromMs: ask.from.getTime(), toMs: Math.min(ask.to.getTime(), at.getTime()) }
  const stored = await storedResolution(store, stream, span)
  const decision = decide(
    {
      ...{ caller: ask.caller.id, action: 'read', resource: `gsrn:${point.gsrn}`, datatype: 'validated_history' },
      ...{ product: ask.product, direction: ask.direction, period: { from: ask.from, to: ask.to } },
      ...{ granularity: ask.granularity, resolution: stored?.coarsest ?? null, purpose: ask.purpose },
    },
    paths,
    at,
  )
  const recordId = newRecordId(ports)
  const party = ask.caller.kind === 'customer' ? undefined : await store.findParty(ask.caller.id)
  const caller = { ...ask.caller, name: ask.caller.kind === 'customer' ? 'customer' : (party?.name ?? 'unknown') }
  const record = (granularity: string | null, released: { values: number; body: Uint8Array } | null) =>
    recordAccess(store, ports, {
      ...{ id: recordId, at, pointId: point.id, caller, period: ask, decision, granularity, released },
    })
  if (decision.decision === 'deny') {
    await record(ask.granularity, null)
    return { answer: null, reasons: [decision.reasonCode] }
  }
  const granularity = grantedGranularity(decision, ask)
  if (stored?.finest != null && nominalSeconds(granularity) < nominalSeconds(stored.finest))
    throw new Problem('invalid-granularity', { detail: 'The data is not kept as fine as this', pointer: 'granularity' })
  const values = await downSample(store, { stream, span, granularity, timeZone: point.time_zone })
  const head = {
    ...{ metering_point: point.id, product: ask.product, direction: ask.direction, unit: unitOf(ask.product) },
    ...{ granularity, time_zone: point.time_zone, access_record: recordId },
    ...{ from: instantText(ask.from.getTime()), to: instantText(ask.to.getTime()) },
  }
  const body = renderSeries(head, values, ask.format)
  await record(granularity, { values: values.length, body })
  return { answer: { recordId, body }, reasons: [] }
}

/**
 * Only windows that are over and lie wholly in what was asked, so that neither moving edges nor reading the day as it
 * grows shows more than the granularity does.
 */
async function downSample(
  store: Store,
  {
    stream,
    span,
    granularity,
    timeZone,
  }: { stream: Stream; span: { fromMs: number; toMs: number }; granularity: string; timeZone: string },
): Promise<WindowValue[]> {
  if (span.toMs <= span.fromMs) return []
  if ((span.toMs - span.fromMs) / 1000 / nominalSeconds(granularity) > maxValues)
    throw new Problem('invalid-interval', { detail: `An answer holds ${maxValues} values at most`, pointer: 'to' })
  const options = { granularity, timeZone, ...span }
  const whole = [...windows(options)]
  const [first, last] = [whole[0], whole.at(-1)]
  if (!first || !last) return []
  const readings = await store.readings(stream, { fromMs: first.startMs, toMs: last.endMs })
  return [...aggregate(readings, { ...options, method: methodOf(stream.product) })]
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
