import { delegate } from '@tillit/client'
import { thumbprint } from '@tillit/keys'
import { verifyDelegationChain } from '@tillit/policy'
import type { Permission, ReadingSeries } from '@tillit/schemas'
import type { Home } from './j2-device.ts'
import type { Citizen } from './j3-sign-in.ts'
import { readableWindow } from './j4-consent.ts'
import { expectRefusal, expectThat, type Scene } from './scene.ts'
import type { Stage } from './stage.ts'

/** J5: the party delegates to a sub-processor; the chain verifies offline and anything wider is refused. */
export async function delegation(
  scene: Scene,
  stage: Stage,
  { home, citizen, permission }: { home: Home; citizen: Citizen; permission: Permission },
): Promise<void> {
  const { adviser, analyst } = stage
  const { statement, scope } = permission
  expectThat(statement !== null && scope !== null, 'the permission was accepted')
  const to = { did: analyst.did, keyThumbprint: thumbprint(analyst.signer.publicKey) }
  const last = { max_depth: 0, recipients: [] }
  let chain: string[] = []
  await scene.step(
    'J5',
    'The adviser passes monthly values on to its analyst, and the chain verifies offline',
    async () => {
      chain = await delegate([statement], {
        to,
        scope: { ...scope, finest_granularity: 'P1M', delegation: last },
        signer: adviser.signer,
        now: new Date(),
      })
      const verified = verifyDelegationChain(chain, { rootKey: citizen.wallet.publicKey, now: new Date() })
      expectThat(verified.delegatee === analyst.did, 'the chain ends at the analyst')
      return {
        hops: String(verified.hops.length),
        delegatee: verified.delegatee,
        effective: verified.effectiveScope.finest_granularity,
      }
    },
  )
  await scene.step('J5', 'A delegation that is wider than what it rests on fails offline and at the city', async () => {
    const wider = await delegate([statement], {
      to,
      scope: { ...scope, finest_granularity: 'PT1H', delegation: last },
      signer: adviser.signer,
      now: new Date(),
    })
    const offline = await expectRefusal('scope-wider', () =>
      verifyDelegationChain(wider, { rootKey: citizen.wallet.publicKey, now: new Date() }),
    )
    await expectRefusal('scope-wider', () => stage.as(adviser).post('/delegations', { chain: wider }))
    const [root = '', hop = ''] = chain
    const cut = `${hop.slice(0, -6)}${hop.endsWith('AAAAAA') ? 'BBBBBB' : 'AAAAAA'}`
    const flipped = await expectRefusal('invalid-delegation', () =>
      verifyDelegationChain([root, cut], { rootKey: citizen.wallet.publicKey, now: new Date() }),
    )
    return { wider: offline, flipped }
  })
  await scene.step('J5', 'The analyst reads monthly values with its own key, and nothing finer', async () => {
    const reader = stage.as(analyst)
    const path = `/metering-points/${home.meteringPoint}/readings`
    await expectRefusal('access-denied', () => reader.get(path, { query: readableWindow(home) }))
    await stage.as(adviser).post('/delegations', { chain })
    const whole = { from: home.from.toISOString(), to: home.to.toISOString() }
    const series = await reader.get<ReadingSeries>(path, { query: whole })
    expectThat(series.granularity === 'P1M', 'the analyst gets months')
    const refused = await expectRefusal('access-denied', () =>
      reader.get(path, { query: { ...whole, granularity: 'P1D' } }),
    )
    return { granularity: series.granularity, values: String(series.readings.length), days: refused }
  })
}
