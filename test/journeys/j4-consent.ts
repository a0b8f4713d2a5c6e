import { createAcceptance, verifyCredential } from '@tillit/client'
import { describeScope, scopeDigest } from '@tillit/policy'
import type { Acknowledgement, EvaluationResponse, Permission, ReadingSeries } from '@tillit/schemas'
import { adviceScope } from '../../services/standalone/src/demonstration/ask.ts'
import type { Home } from './j2-device.ts'
import type { Citizen } from './j3-sign-in.ts'
import { expectRefusal, expectThat, type Scene } from './scene.ts'
import type { Stage } from './stage.ts'

/** J4: an eligible party asks, the citizen narrows and accepts, the party reads at the accepted granularity and not finer. */
export async function consent(
  scene: Scene,
  stage: Stage,
  { home, citizen }: { home: Home; citizen: Citizen },
): Promise<Permission> {
  const adviser = stage.as(stage.adviser)
  const now = new Date()
  const scope = {
    ...adviceScope(home.gsrn, { now, recipients: [stage.analyst.did] }),
    period: {
      from: home.from.toISOString(),
      to: new Date(Math.max(home.to.getTime(), now.getTime() + 86_400_000)).toISOString(),
    },
  }
  const readings = `/metering-points/${home.meteringPoint}/readings`
  const window = readableWindow(home)
  await scene.step('J4', 'Before anyone agreed, the adviser gets nothing', async () => ({
    refused: await expectRefusal('access-denied', () => adviser.get(readings, { query: window })),
  }))
  await scene.step('J4', 'A scope wider than its purpose allows is refused', async () => ({
    refused: await expectRefusal('scope-exceeds-purpose', () =>
      adviser.post('/permission-requests', { scope: { ...scope, finest_granularity: 'PT1M' } }),
    ),
  }))
  await scene.step('J4', 'The adviser asks for hourly values', async () => {
    const asked = await adviser.post<Permission>('/permission-requests', { scope })
    expectThat(asked.state === 'SENT_TO_PERMISSION_ADMINISTRATOR', 'the request waits for the customer')
    return {
      permission: asked.id,
      state: asked.state,
      asked: 'PT1H for energy-advice, optionally efficiency-verification',
    }
  })

  let permission: Permission | null = null
  await scene.step('J4', `${citizen.name} sees who asks, for what, and what it reveals`, async () => {
    const { permissions } = await citizen.city.get<{ permissions: Permission[] }>('/permissions', {
      query: { state: 'SENT_TO_PERMISSION_ADMINISTRATOR' },
    })
    const [waiting] = permissions
    expectThat(waiting !== undefined && permissions.length === 1, 'one request is waiting')
    permission = waiting
    const words = describeScope(waiting.requested_scope, 'en', { timeZone: home.timeZone })
    return {
      who: waiting.party.name,
      what: words.what,
      at: words.resolution,
      reveals: words.detail,
      until: words.until,
      deleted: words.deletedAfter,
    }
  })
  expectThat(permission !== null, 'there is a request')
  const waiting: Permission = permission
  const narrowed = {
    ...waiting.requested_scope,
    finest_granularity: 'P1D',
    purpose: waiting.requested_scope.purpose.filter(({ required }) => required),
  }
  await scene.step(
    'J4',
    `${citizen.name} gives daily values only, without the optional purpose, and signs with the wallet’s key`,
    async () => {
      const statement = await createAcceptance(waiting, narrowed, {
        signer: citizen.wallet,
        now: new Date(),
        notice: { version: '1', locale: 'en' },
      })
      const answer = await citizen.city.post<Acknowledgement>(`/permissions/${waiting.id}/acceptance`, { statement })
      permission = answer.permission
      expectThat(permission.state === 'ACTIVE' && permission.scope !== null, 'the permission is active')
      expectThat(scopeDigest(permission.scope) === scopeDigest(narrowed), 'what is enforced is what was signed')
      expectThat(answer.receipt !== null, 'the citizen holds a receipt')
      const receipt = await verifyCredential(stage.anyone, answer.receipt, stage.trust())
      return {
        state: permission.state,
        scope_digest: scopeDigest(permission.scope),
        receipt: receipt.type,
        receipt_from: receipt.issuer,
      }
    },
  )
  await scene.step('J4', 'The adviser reads and gets daily values', async () => {
    const series = await adviser.get<ReadingSeries>(readings, { query: window })
    expectThat(series.granularity === 'P1D', 'the finest allowed is a day')
    expectThat(series.readings.length > 0, 'there are values')
    expectThat(
      series.readings.every(({ start, end }) => Date.parse(end) - Date.parse(start) >= 23 * 3_600_000),
      'no value is finer than a day',
    )
    const [first] = series.readings
    return {
      granularity: series.granularity,
      values: String(series.readings.length),
      first: `${first?.start} ${first?.value} ${series.unit}`,
      access_record: series.access_record,
    }
  })
  await scene.step(
    'J4',
    'Asked for hours, the city refuses with its reason; the decision point says the same',
    async () => {
      const refused = await expectRefusal('access-denied', () =>
        adviser.get(readings, { query: { ...window, granularity: 'PT1H' } }),
      )
      const evaluate = (granularity: string) =>
        adviser.post<EvaluationResponse>('/access/v1/evaluation', {
          subject: { type: 'did', id: stage.adviser.did },
          action: { name: 'read' },
          resource: { type: 'metering_point', id: home.meteringPoint },
          context: { ...window, granularity },
        })
      expectThat(!(await evaluate('PT1H')).decision, 'AuthZEN denies hours')
      expectThat((await evaluate('P1D')).decision, 'AuthZEN permits days')
      return { refused, authzen: 'PT1H false, P1D true' }
    },
  )
  return permission
}

/** A week well inside the home's readings, from midnight to midnight in its zone as far as whole days of UTC allow. */
export function readableWindow(home: Home): { from: string; to: string } {
  const start = home.from.getTime() + 3 * 86_400_000
  return { from: new Date(start).toISOString(), to: new Date(start + 10 * 86_400_000).toISOString() }
}
