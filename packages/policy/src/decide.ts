import type { PermissionState, Scope } from '@tillit/schemas'
import type { Ask } from './covers.ts'
import { reasonFor } from './decision-reasons.ts'
import { explainPath, faults, type PathExplanation, type PathFault } from './explain-path.ts'
import { type Granularity, readGranularity } from './granularity.ts'
import type { PreparedPath } from './path.ts'
import { formRank } from './scope-axes.ts'

export interface ReadRequest {
  /** DID of an organisation or device, or a customer id. */
  caller: string
  action: Scope['actions'][number]
  /** As in a scope: `gsrn:…`, `stream:…` or `cohort:…`. */
  resource: string
  product: string
  direction: string
  datatype: Scope['datatypes'][number]
  delivery?: Scope['delivery'][number]
  /** Half open. */
  period: { from: Date; to: Date }
  /** Canonical ISO 8601 duration, or null: the finest that is allowed. */
  granularity: string | null
  /** The granularity at which the data is stored, so that the finest allowed can be derived from it. */
  resolution?: string | null
  purpose: string | null
  /** Further countries that the data goes to, beside those of the parties. */
  countries?: string[]
  /** The forms in which the enforcement point can release the data; any unless given. */
  forms?: readonly Scope['subject_form'][]
}

export interface Obligations {
  /** Sum the values to this granularity before they leave; null: as stored (a customer's own data only). */
  downsampleTo: string | null
  subjectForm: Scope['subject_form']
  deleteAfter: string | null
  duties: string[]
}

export type ReasonCode =
  | 'permitted'
  | 'own-data'
  | 'no-permission'
  | 'suspended'
  | 'revoked'
  | 'not-started'
  | PathFault

interface Reasoned {
  reasonCode: ReasonCode
  /** For the customer, and for whoever runs the city. */
  reason: { customer: string; operator: string }
  /** Ids of the paths that determined the decision: the one that permits, or the one that came nearest. */
  determinedBy: string[]
  explanation: PathExplanation[]
}

export type Decision =
  | (Reasoned & {
      decision: 'permit'
      /** The permission id, or `own-data`. */
      authority: string
      permissionVersion: number | null
      obligations: Obligations
    })
  | (Reasoned & { decision: 'deny'; authority: null; permissionVersion: null; obligations: null })

/**
 * Decides whether a caller may have the data, and how fine. Pure, total, deny by default; never throws. A permit needs one
 * path that covers everything: paths are never added up. Neither order nor repetition of paths changes the decision; of
 * several that permit, the one with the finest granularity wins, then the least protected form, then the lowest key.
 */
export function decide(request: ReadRequest, paths: readonly PreparedPath[], now: Date): Decision {
  const ask = readAsk(request)
  if (ask === null) return refusal('invalid-request', null, [])
  const options = {
    caller: request.caller,
    now: now.getTime(),
    resolution: readResolution(request),
    forms: request.forms ?? null,
  }
  const ordered = paths.length > 1 ? inOrder(paths) : paths
  return recheck(ordered.map((path) => explainPath(path, ask, options)))
}

/** Concludes a decision from the explanations of its paths: the same decision again, for whoever checks one later. */
export function recheck(explanation: readonly PathExplanation[]): Decision {
  let permit: PathExplanation | null = null
  let nearest: PathExplanation | null = null
  for (const one of explanation) {
    if (one.permits && (permit === null || isFiner(one, permit))) permit = one
    if (!one.permits && (nearest === null || distance(one) > distance(nearest))) nearest = one
  }
  if (permit?.authority == null) return refusal(codeOf(nearest), nearest, [...explanation])
  const reasonCode = permit.kind === 'own-data' ? 'own-data' : 'permitted'
  return {
    decision: 'permit',
    authority: permit.authority,
    permissionVersion: permit.version,
    obligations: {
      downsampleTo: permit.granularity,
      subjectForm: permit.subjectForm,
      deleteAfter: permit.deleteAfter,
      duties: permit.duties,
    },
    reasonCode,
    reason: reasonFor(reasonCode, permit),
    determinedBy: [permit.path],
    explanation: [...explanation],
  }
}

function refusal(reasonCode: ReasonCode, nearest: PathExplanation | null, explanation: PathExplanation[]): Decision {
  return {
    decision: 'deny',
    authority: null,
    permissionVersion: null,
    obligations: null,
    reasonCode,
    reason: reasonFor(reasonCode, nearest),
    determinedBy: nearest === null ? [] : [nearest.path],
    explanation,
  }
}

/** A path for somebody else or something else is no reason to give. */
function codeOf(nearest: PathExplanation | null): ReasonCode {
  if (nearest === null || nearest.fault === null) return 'no-permission'
  if (nearest.fault === 'other-caller' || nearest.fault === 'resource') return 'no-permission'
  return nearest.fault === 'not-active' ? stateCode(nearest.state) : nearest.fault
}

function stateCode(state: PermissionState | null): ReasonCode {
  if (state === 'SUSPENDED') return 'suspended'
  if (state === 'REVOKED') return 'revoked'
  if (state === 'EXPIRED') return 'expired'
  return state === 'ACCEPTED' || state === 'WAITING_FOR_START' ? 'not-started' : 'not-active'
}

/** Sorted by key, twins once. */
function inOrder(paths: readonly PreparedPath[]): PreparedPath[] {
  return [...paths]
    .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
    .filter((path, index, all) => index === 0 || all[index - 1]?.key !== path.key)
}

function isFiner(a: PathExplanation, b: PathExplanation): boolean {
  const [fine, other] = [seconds(a.granularity), seconds(b.granularity)]
  return fine !== other ? fine < other : formRank(a.subjectForm) > formRank(b.subjectForm)
}

function seconds(granularity: string | null): number {
  return granularity === null ? 0 : (readGranularity(granularity)?.seconds ?? Number.POSITIVE_INFINITY)
}

function distance({ fault }: PathExplanation): number {
  return fault === null ? -1 : faults.indexOf(fault)
}

function readAsk(request: ReadRequest): Ask | null {
  const granularity = request.granularity === null ? null : readGranularity(request.granularity)
  const [from, to] = [request.period.from.getTime(), request.period.to.getTime()]
  if ((request.granularity !== null && granularity === null) || !(from < to)) return null
  return {
    action: request.action,
    datatype: request.datatype,
    resource: request.resource,
    product: request.product,
    direction: request.direction,
    delivery: request.delivery ?? 'pull',
    purpose: request.purpose,
    countries: request.countries ?? [],
    from,
    to,
    granularity,
  }
}

function readResolution(request: ReadRequest): Granularity | null {
  return request.resolution == null ? null : readGranularity(request.resolution)
}
