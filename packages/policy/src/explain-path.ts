import type { PermissionState, Scope } from '@tillit/schemas'
import { type Ask, type AskAxis, askAxes, firstUncovered } from './covers.ts'
import { commonCoarsening, type Granularity } from './granularity.ts'
import type { PreparedPath } from './path.ts'

/** Why a path does not lead to the data. Listed from the farthest to the nearest: the nearest fault is the one told. */
export const faults = [
  'unreadable-permission',
  'invalid-request',
  'other-caller',
  'resource',
  'delegation-revoked',
  'not-active',
  'expired',
  'party-not-active',
  'not-accredited',
  ...askAxes.slice(1, -1),
  'not-theirs-then',
  'aggregate-only',
  'pseudonymous-only',
  'granularity',
] as const
export type PathFault = (typeof faults)[number] | AskAxis

/** What a path comes to. Holds all that the decision is concluded from, so that an explanation can be checked again. */
export interface PathExplanation {
  path: string
  kind: PreparedPath['kind']
  permits: boolean
  fault: PathFault | null
  state: PermissionState | null
  authority: string | null
  version: number | null
  /** Granularity to which the data is summed; null: as it is stored. */
  granularity: string | null
  subjectForm: Scope['subject_form']
  deleteAfter: string | null
  duties: string[]
}

export interface ExplainOptions {
  caller: string
  now: number
  resolution: Granularity | null
  /** Forms in which the data can be released; null: any. */
  forms: readonly Scope['subject_form'][] | null
}

/** One path against one request. Never throws. `resolution`: at which granularity the data is stored, when known. */
export function explainPath(path: PreparedPath, ask: Ask, options: ExplainOptions): PathExplanation {
  switch (path.kind) {
    case 'unreadable':
      return explanation(path, 'unreadable-permission')
    case 'own-data':
      return explainOwnData(path, ask, options)
    case 'permission':
      return explainPermission(path, ask, options)
  }
}

function explainOwnData(
  path: Extract<PreparedPath, { kind: 'own-data' }>,
  ask: Ask,
  { caller, resolution }: ExplainOptions,
): PathExplanation {
  const granularity = ask.granularity ?? resolution
  if (path.customerId !== caller) return explanation(path, 'other-caller')
  if (path.resource !== ask.resource) return explanation(path, 'resource')
  if (ask.action !== 'read') return explanation(path, 'action')
  if (!owned(path.ownership, ask)) return explanation(path, 'not-theirs-then')
  return { ...explanation(path, null), authority: 'own-data', granularity: granularity?.text ?? null }
}

function explainPermission(
  path: Extract<PreparedPath, { kind: 'permission' }>,
  ask: Ask,
  { caller, now, resolution, forms }: ExplainOptions,
): PathExplanation {
  const { scope } = path
  const about = {
    ...explanation(path, null),
    state: path.state,
    authority: path.permissionId,
    version: path.version,
    subjectForm: scope.subjectForm,
    deleteAfter: scope.deleteAfter,
    duties: [...scope.duties],
  }
  const refuse = (fault: PathFault): PathExplanation => ({ ...about, permits: false, fault })
  const uncovered = firstUncovered(scope, ask)
  if (path.callerDid !== caller) return refuse('other-caller')
  if (uncovered === 'resource') return refuse('resource')
  if (path.delegationRevoked) return refuse('delegation-revoked')
  if (path.state !== 'ACTIVE') return refuse('not-active')
  // Enforced here by the clock, whether or not a job has written the end down yet.
  if (!(now < path.expires && now < scope.expires)) return refuse('expired')
  if (!path.partyActive) return refuse('party-not-active')
  if (!path.accredited) return refuse('not-accredited')
  if (uncovered !== null && uncovered !== 'granularity') return refuse(uncovered)
  if (!path.countries.every((country) => scope.countries.has(country))) return refuse('countries')
  if (!owned(path.ownership, ask)) return refuse('not-theirs-then')
  // Values of a single metering point are no aggregate, however coarse.
  if (scope.subjectForm === 'aggregate' && !ask.resource.startsWith('cohort:')) return refuse('aggregate-only')
  if (scope.subjectForm === 'pseudonymous' && forms !== null && !forms.includes('pseudonymous'))
    return refuse('pseudonymous-only')
  if (uncovered === 'granularity') return refuse('granularity')
  const finest = resolution ? commonCoarsening(scope.granularity, resolution) : scope.granularity
  const granularity = ask.granularity ?? finest
  return granularity ? { ...about, granularity: granularity.text } : refuse('granularity')
}

function owned(ownership: readonly { from: number; to: number }[], ask: Ask): boolean {
  return ownership.some(({ from, to }) => from <= ask.from && ask.to <= to)
}

function explanation(path: PreparedPath, fault: PathFault | null): PathExplanation {
  return {
    path: path.id,
    kind: path.kind,
    permits: fault === null,
    fault,
    state: null,
    authority: null,
    version: null,
    granularity: null,
    subjectForm: 'identified',
    deleteAfter: null,
    duties: [],
  }
}
