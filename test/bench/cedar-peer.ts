import {
  type AuthorizationCall,
  type EntityUidJson,
  isAuthorized,
  preparsePolicySet,
  statefulIsAuthorized,
} from '@cedar-policy/cedar-wasm/nodejs'
import type { PermissionPath, ReadRequest } from '@tillit/policy'
import type { Scope } from '@tillit/schemas'
import { now } from './policy-cases.ts'

export interface CedarPeer {
  /** Policies handed over as text with each call. */
  decide(request: ReadRequest): 'permit' | 'deny'
  /** Policies parsed once and kept inside Cedar. */
  decidePreparsed(request: ReadRequest): 'permit' | 'deny'
}

/** What may be derived from hourly values, of the granularities that the cases ask for. */
const fromHours = ['PT1H', 'PT2H', 'PT3H', 'PT4H', 'PT6H', 'PT8H', 'PT12H', 'P1D', 'P7D', 'P14D', 'P1M', 'P1Y']

/** The same permissions as Cedar policies: caller, resource, product, direction, period, purpose, granularity, ends. */
export function cedarPeer(paths: PermissionPath[]): CedarPeer {
  const staticPolicies = paths.map(policyOf).join('\n')
  const id = `permissions of ${paths.length}`
  const parsed = preparsePolicySet(id, { staticPolicies })
  if (parsed.type === 'failure') throw new Error(`Cedar refuses the policies: ${parsed.errors[0]?.message}`)
  return {
    decide: (request) => outcome(isAuthorized({ ...callOf(request), policies: { staticPolicies } })),
    decidePreparsed: (request) => outcome(statefulIsAuthorized({ ...callOf(request), preparsedPolicySetId: id })),
  }
}

function policyOf(path: PermissionPath): string {
  const scope = path.scope as Scope
  const [owned] = path.ownership
  const set = (values: readonly string[]) => `[${values.map((value) => JSON.stringify(value)).join(', ')}]`
  const milliseconds = (text: string) => new Date(text).getTime()
  return `permit (
    principal == Party::${JSON.stringify(path.callerDid)},
    action == Action::"read",
    resource == MeteringPoint::${JSON.stringify(scope.resources[0])}
  ) when {
    ${set(scope.datatypes)}.contains(context.datatype) &&
    ${set(scope.products)}.contains(context.product) &&
    ${set(scope.directions)}.contains(context.direction) &&
    ${set(scope.delivery)}.contains(context.delivery) &&
    ${set(scope.purpose.map(({ code }) => code))}.contains(context.purpose) &&
    ${milliseconds(scope.period.from)} <= context.from && context.to <= ${milliseconds(scope.period.to)} &&
    ${owned?.from.getTime()} <= context.from &&
    ${set(fromHours)}.contains(context.granularity) &&
    context.now < ${path.expires.getTime()}
  };`
}

function callOf(request: ReadRequest): Omit<AuthorizationCall, 'policies'> {
  const uid = (type: string, id: string): EntityUidJson => ({ type, id })
  return {
    principal: uid('Party', request.caller),
    action: uid('Action', request.action),
    resource: uid('MeteringPoint', request.resource),
    context: {
      datatype: request.datatype,
      product: request.product,
      direction: request.direction,
      delivery: 'pull',
      purpose: request.purpose,
      granularity: request.granularity,
      from: request.period.from.getTime(),
      to: request.period.to.getTime(),
      now: now.getTime(),
    },
    entities: [],
  }
}

function outcome(answer: ReturnType<typeof isAuthorized>): 'permit' | 'deny' {
  if (answer.type === 'failure') throw new Error(`Cedar could not decide: ${answer.errors[0]?.message}`)
  if (answer.response.diagnostics.errors.length > 0)
    throw new Error('Cedar skipped a policy that it could not evaluate')
  return answer.response.decision === 'allow' ? 'permit' : 'deny'
}
