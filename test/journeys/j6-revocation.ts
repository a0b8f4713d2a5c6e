import { createStatement, verifyCredential } from '@tillit/client'
import type { Acknowledgement, Permission } from '@tillit/schemas'
import type { Home } from './j2-device.ts'
import type { Citizen } from './j3-sign-in.ts'
import { readableWindow } from './j4-consent.ts'
import { expectRefusal, expectThat, type Scene } from './scene.ts'
import type { Stage } from './stage.ts'

/** J6: the citizen revokes; when that is acknowledged no response is under way and none starts. */
export async function revocation(
  scene: Scene,
  stage: Stage,
  { home, citizen, permission }: { home: Home; citizen: Citizen; permission: Permission },
): Promise<void> {
  const path = `/metering-points/${home.meteringPoint}/readings`
  const reader = stage.as(stage.adviser)
  await reader.get(path, { query: readableWindow(home) }) // its token is good for minutes to come
  await scene.step(
    'J6',
    `${citizen.name} signs the revocation, and it is enforced when it is acknowledged`,
    async () => {
      const statement = await createStatement('revoke', permission.id, {
        signer: citizen.wallet,
        now: new Date(),
        authority: stage.city.authority.did,
      })
      const answer = await citizen.city.post<Acknowledgement>(`/permissions/${permission.id}/revocation`, { statement })
      expectThat(answer.permission.state === 'REVOKED' && answer.enforced_at !== null, 'the permission is revoked')
      expectThat(answer.receipt !== null, 'the citizen holds a revocation receipt')
      const receipt = await verifyCredential(stage.anyone, answer.receipt, stage.trust())
      return { state: answer.permission.state, enforced_at: answer.enforced_at, receipt: receipt.type }
    },
  )
  await scene.step(
    'J6',
    'The next read is refused, though the token has not expired; so is the analyst’s',
    async () => {
      const refused = await expectRefusal('access-denied', () => reader.get(path, { query: readableWindow(home) }))
      await expectRefusal('access-denied', () =>
        stage.as(stage.analyst).get(path, { query: { from: home.from.toISOString(), to: home.to.toISOString() } }),
      )
      return { adviser: refused, analyst: 'access-denied' }
    },
  )
}
