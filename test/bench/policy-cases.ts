import type { PermissionPath, ReadRequest } from '@tillit/policy'
import type { Scope } from '@tillit/schemas'
import { baseScope } from '../../packages/policy/src/base-scope.fixture.ts'

export const now = new Date('2026-03-01T12:00:00Z')
export const caller = 'did:web:adviser.example'

export const scope: Scope = {
  ...baseScope,
  delegation: { max_depth: 2, recipients: ['did:web:adviser.example', 'did:web:cloud.example'] },
}

/** Permissions of `count` metering points; only the last one is for the point that `asked` names. */
export function permissions(count: number): PermissionPath[] {
  return Array.from({ length: count }, (_, i) => ({
    kind: 'permission',
    id: `perm-${i}`,
    permissionId: `perm-${i}`,
    version: 1,
    state: 'ACTIVE',
    partyDid: caller,
    parties: [{ did: caller, status: 'ACTIVE', roles: ['eligible_party'], purposes: ['energy-advice'], country: 'NO' }],
    callerDid: caller,
    scope: { ...scope, resources: [`gsrn:7070575000000${String(count - i).padStart(5, '0')}`] },
    expires: new Date(scope.expires),
    delegationRevoked: false,
    ownership: [{ from: new Date('2020-01-01T00:00:00Z'), to: null }],
  }))
}

export const asked: ReadRequest = {
  caller,
  action: 'read',
  resource: 'gsrn:707057500000000001',
  product: 'active_energy',
  direction: 'consumption',
  datatype: 'validated_history',
  period: { from: new Date('2026-01-01T00:00:00Z'), to: new Date('2026-02-01T00:00:00Z') },
  granularity: 'P1D',
  purpose: 'energy-advice',
}

/** What both engines have to agree on before either is timed. */
export const cases: { request: ReadRequest; decision: 'permit' | 'deny' }[] = [
  { request: asked, decision: 'permit' },
  { request: { ...asked, granularity: 'PT1H' }, decision: 'permit' },
  { request: { ...asked, caller: 'did:web:stranger.example' }, decision: 'deny' },
  { request: { ...asked, resource: 'gsrn:707057500000009999' }, decision: 'deny' },
  { request: { ...asked, product: 'voltage' }, decision: 'deny' },
  { request: { ...asked, direction: 'production' }, decision: 'deny' },
  { request: { ...asked, purpose: 'billing' }, decision: 'deny' },
  { request: { ...asked, granularity: 'PT15M' }, decision: 'deny' },
  { request: { ...asked, period: { ...asked.period, from: new Date('2024-01-01T00:00:00Z') } }, decision: 'deny' },
  { request: { ...asked, period: { ...asked.period, to: new Date('2027-06-01T00:00:00Z') } }, decision: 'deny' },
]
