import type { Caller } from '@tillit/http'
import {
  type Decision,
  decide,
  type OwnDataPath,
  type Ownership,
  type PathParty,
  type PreparedPath,
  preparePath,
  type ReadRequest,
  readInstant,
} from '@tillit/policy'
import { Problem } from '@tillit/problem'
import type { EvaluationRequest, EvaluationResponse, PurposeCatalogue } from '@tillit/schemas'
import type { PermissionsPorts } from './ports.ts'
import type { Reader, Store } from './store.ts'
import type { PathRow } from './tables.ts'

/** Without a period in the context the question is about the last day. */
const defaultPeriodMilliseconds = 86_400_000

interface Point {
  id: string
  gsrn: string
  utility_did: string
}

/**
 * OpenID AuthZEN Authorization API 1.0: would this read be allowed? An organisation or a customer may ask about itself, the
 * utility of a metering point about anyone. Decided from one snapshot of the database by the function that decides the reads
 * themselves. Throws Problem access-denied when the caller may not ask, invalid-request on a context that is not readable.
 */
export async function evaluateAccess(
  request: EvaluationRequest,
  { store, ports, caller }: { store: Store; ports: PermissionsPorts; caller: Caller },
): Promise<EvaluationResponse> {
  const { subject, resource, action } = request
  const now = ports.now()
  return store.snapshot(async (reader) => {
    const point = resource.type === 'metering_point' ? await reader.findPoint(resource.id) : undefined
    const aboutItself = subject.id === caller.id && subject.type === (caller.kind === 'customer' ? 'customer' : 'did')
    if (!aboutItself && (caller.kind !== 'organisation' || point?.utility_did !== caller.id))
      throw new Problem('access-denied', { detail: 'Only the utility of a metering point may ask about others' })
    const asked = readRequest(request, point, now)
    if (!point || !isKnown(action.name)) return respond(decide(asked, [], now))
    const paths = await preparePaths(reader, {
      point,
      subject,
      ...(ports.catalogue ? { catalogue: ports.catalogue } : {}),
    })
    return respond(decide(asked, paths, now))
  })
}

function readRequest(
  { subject, action, context = {} }: EvaluationRequest,
  point: Point | undefined,
  now: Date,
): ReadRequest {
  const to = instant(context, 'to') ?? now
  const from = instant(context, 'from') ?? new Date(to.getTime() - defaultPeriodMilliseconds)
  return {
    caller: subject.id,
    action: isKnown(action.name) ? action.name : 'read',
    resource: `gsrn:${point?.gsrn ?? ''}`,
    product: text(context, 'product') ?? 'active_energy',
    direction: text(context, 'direction') ?? 'consumption',
    datatype: 'validated_history',
    period: { from, to },
    granularity: text(context, 'granularity'),
    purpose: text(context, 'purpose'),
    // As the metering service releases it: there are no recipient-specific ids yet.
    forms: ['identified'],
  }
}

async function preparePaths(
  reader: Reader,
  { point, subject, catalogue }: { point: Point; subject: { type: string; id: string }; catalogue?: PurposeCatalogue },
): Promise<PreparedPath[]> {
  const entitlements = await reader.entitlementsOf(point.id)
  const ownershipOf = (customerId: string): Ownership[] =>
    entitlements
      .filter(({ customer_id }) => customer_id === customerId)
      .map(({ valid_from, valid_to }) => ({ from: valid_from, to: valid_to }))
  if (subject.type === 'customer') {
    const own: OwnDataPath = {
      kind: 'own-data',
      id: 'own-data',
      customerId: subject.id,
      resource: `gsrn:${point.gsrn}`,
      ownership: ownershipOf(subject.id),
    }
    return [preparePath(own)]
  }
  if (subject.type !== 'did') return []
  const rows = await reader.listPaths(point.id, subject.id)
  const parties = new Map<string, PathParty>()
  for (const did of new Set(rows.flatMap((row) => [row.party_did, ...row.intermediary_dids, row.caller_did])))
    parties.set(did, (await reader.findParty(did)) ?? unknownParty(did))
  return rows.map((row) =>
    preparePath(pathOf(row, { parties, ownership: ownershipOf(row.customer_id) }), catalogue ? { catalogue } : {}),
  )
}

/** Whom the trust registry does not know may do nothing. */
function unknownParty(did: string): PathParty {
  return { did, status: 'UNKNOWN', roles: [], purposes: [], country: '' }
}

function pathOf(row: PathRow, { parties, ownership }: { parties: Map<string, PathParty>; ownership: Ownership[] }) {
  const delegated = row.caller_did !== row.party_did
  const between = delegated ? [row.party_did, ...row.intermediary_dids, row.caller_did] : [row.party_did]
  return {
    kind: 'permission' as const,
    id: delegated ? `${row.permission_id}#${row.chain_digest}` : row.permission_id,
    permissionId: row.permission_id,
    version: row.version,
    state: row.state,
    partyDid: row.party_did,
    callerDid: row.caller_did,
    parties: between.map((did) => parties.get(did) ?? unknownParty(did)),
    scope: row.scope,
    expires: row.chain_expires,
    delegationRevoked: row.delegation_revoked,
    ownership,
  }
}

function respond(decision: Decision): EvaluationResponse {
  const { obligations } = decision
  return {
    decision: decision.decision === 'permit',
    context: {
      reason_code: decision.reasonCode,
      reason_admin: { en: decision.reason.operator },
      reason_user: { en: decision.reason.customer },
      determined_by: decision.determinedBy,
      ...(obligations === null
        ? {}
        : {
            authority: decision.authority,
            obligations: {
              granularity: obligations.downsampleTo,
              subject_form: obligations.subjectForm,
              delete_after: obligations.deleteAfter,
              duties: obligations.duties,
            },
          }),
    },
  }
}

function isKnown(action: string): action is ReadRequest['action'] {
  return action === 'read' || action === 'stream' || action === 'write'
}

function text(context: Record<string, unknown>, name: string): string | null {
  const value = context[name]
  if (value === undefined || value === null) return null
  if (typeof value !== 'string') throw wrong(name, 'is not a text')
  return value
}

function instant(context: Record<string, unknown>, name: string): Date | null {
  const value = text(context, name)
  if (value === null) return null
  const milliseconds = readInstant(value)
  if (milliseconds === null) throw wrong(name, 'is not an RFC 3339 instant')
  return new Date(milliseconds)
}

function wrong(name: string, what: string): Problem {
  return new Problem('invalid-request', { detail: `${name} ${what}`, pointer: `/context/${name}` })
}
