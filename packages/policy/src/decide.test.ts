import { readFileSync } from 'node:fs'
import { purposeCatalogue, type Scope } from '@tillit/schemas'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { nearScopes, resources } from './arbitrary-scope.fixture.ts'
import { baseScope } from './base-scope.fixture.ts'
import { type Decision, decide, type ReadRequest, recheck } from './decide.ts'
import { type OwnDataPath, type PermissionPath, preparePath } from './path.ts'
import { meet } from './scope-order.ts'

type Fields = Record<string, unknown>
interface Scenario {
  name: string
  now?: string
  request?: Fields
  paths?: (Fields & { kind?: string; scope?: Fields })[]
  expect: {
    decision: string
    reasonCode: string
    downsampleTo: string | null
    determinedBy?: string[]
    authority?: string
  }
}
interface ScenarioFile {
  now: string
  request: Fields
  path: Fields
  scope: Fields
  scenarios: Scenario[]
}

const vectors = new URL('../../../test/vectors/policy/decisions/read-a-meter.json', import.meta.url)
const file = JSON.parse(readFileSync(vectors, 'utf8')) as ScenarioFile

describe('reading a meter', () => {
  test.each(file.scenarios)('$name', (scenario) => {
    const request = readRequest({ ...file.request, ...scenario.request })
    const paths = (scenario.paths ?? [{}]).map(readPath).map((path) => preparePath(path))
    const decision = decide(request, paths, new Date(scenario.now ?? file.now))
    expect(decision).toMatchObject({
      decision: scenario.expect.decision,
      reasonCode: scenario.expect.reasonCode,
      ...(scenario.expect.determinedBy ? { determinedBy: scenario.expect.determinedBy } : {}),
      ...(scenario.expect.authority ? { authority: scenario.expect.authority } : {}),
    })
    expect(decision.obligations?.downsampleTo ?? null).toBe(scenario.expect.downsampleTo)
    expect(recheckable(decision)).toEqual(decision)
  })
})

const now = new Date('2025-01-15T00:00:00Z')
const path: fc.Arbitrary<PermissionPath> = fc
  .record({
    scope: nearScopes.map(([a]): Scope => ({ ...a, resources: [...resources], actions: ['read'], delivery: ['pull'] })),
    id: fc.constantFrom('perm-1', 'perm-2', 'perm-3'),
    state: fc.constantFrom('ACTIVE' as const, 'ACTIVE' as const, 'REVOKED' as const),
    version: fc.integer({ min: 1, max: 2 }),
    delegationRevoked: fc.constantFrom(false, false, true),
  })
  .map(({ scope, id, ...rest }) => ({
    kind: 'permission',
    id,
    permissionId: id,
    partyDid: 'did:web:a.example',
    parties: [
      {
        did: 'did:web:a.example',
        status: 'ACTIVE',
        roles: ['eligible_party'],
        purposes: purposeCatalogue.purposes.map(({ code }) => code),
        country: scope.countries[0] ?? '',
      },
    ],
    callerDid: 'did:web:a.example',
    scope: { ...scope, subject_form: 'identified', expires: '2026-01-01T00:00:00Z' },
    expires: new Date('2026-01-01T00:00:00Z'),
    ownership: [{ from: new Date('2025-01-01T00:00:00Z'), to: null }],
    ...rest,
  }))
const request: fc.Arbitrary<ReadRequest> = fc.record({
  caller: fc.constant('did:web:a.example'),
  action: fc.constant('read' as const),
  resource: fc.constantFrom(...resources),
  product: fc.constantFrom('active_energy', 'voltage'),
  direction: fc.constantFrom('consumption', 'production'),
  datatype: fc.constant('validated_history' as const),
  period: fc.constantFrom('2025-02-01', '2025-03-01').map((to) => ({ from: new Date('2025-01-01'), to: new Date(to) })),
  granularity: fc.constantFrom(null, 'PT1H', 'P1D', 'P1M', 'P1Y'),
  purpose: fc.constantFrom(null, 'energy-advice'),
})

test('neither order nor repetition of paths changes a decision', () => {
  fc.assert(
    fc.property(request, fc.array(path, { maxLength: 5 }), fc.infiniteStream(fc.nat(100)), (asked, paths, weights) => {
      const shuffled = [...paths, ...paths]
        .map((one) => ({ one, weight: weights.next().value }))
        .sort((a, b) => a.weight - b.weight)
        .map(({ one }) => preparePath(one))
      const first = decide(
        asked,
        paths.map((one) => preparePath(one)),
        now,
      )
      expect(decide(asked, shuffled, now)).toEqual(first)
      expect(recheck(first.explanation)).toEqual(first)
    }),
    { numRuns: 1000 },
  )
})

test('a path over the meet permits only what each hop permits', () => {
  fc.assert(
    fc.property(request, path, path, (asked, one, other) => {
      const common = meet(one.scope as Scope, {
        ...(other.scope as Scope),
        legal_basis: (one.scope as Scope).legal_basis,
      })
      if (common === null) return
      const permits = (scope: Scope) => decide(asked, [preparePath({ ...one, scope })], now).decision === 'permit'
      if (permits(common)) expect([permits(one.scope as Scope), permits(other.scope as Scope)]).toEqual([true, true])
    }),
    { numRuns: 1000 },
  )
})

test('revoking one permission never changes what another one permits', () => {
  fc.assert(
    fc.property(request, path, path, (asked, one, other) => {
      const alone = decide(asked, [preparePath(other)], now)
      const revoked = preparePath({ ...one, id: 'perm-9', permissionId: 'perm-9', state: 'REVOKED' })
      const together = decide(asked, [revoked, preparePath(other)], now)
      expect(together.decision).toBe(alone.decision)
      expect(together.authority).toBe(alone.authority)
    }),
    { numRuns: 1000 },
  )
})

test('no path, however broken, makes a decision throw', () => {
  fc.assert(
    fc.property(request, fc.anything(), (asked, scope) => {
      const broken = { ...readPath({}), scope } as PermissionPath
      expect(decide(asked, [preparePath(broken)], now).decision).toBe('deny')
    }),
  )
})

function recheckable(decision: Decision): Decision {
  return decision.reasonCode === 'invalid-request' ? decision : recheck(decision.explanation)
}

function readRequest(fields: Fields): ReadRequest {
  const { from, to } = fields.period as { from: string; to: string }
  return { ...fields, period: { from: new Date(from), to: new Date(to) } } as ReadRequest
}

function readPath(fields: Fields & { scope?: Fields }): PermissionPath | OwnDataPath {
  const whole: Fields =
    fields.kind === 'own-data'
      ? fields
      : { ...file.path, ...fields, scope: { ...baseScope, ...file.scope, ...fields.scope } }
  const ownership = (whole.ownership as { from: string; to: string | null }[]).map(({ from, to }) => ({
    from: new Date(from),
    to: to === null ? null : new Date(to),
  }))
  return { ...whole, ownership, expires: new Date(String(whole.expires)) } as PermissionPath | OwnDataPath
}
