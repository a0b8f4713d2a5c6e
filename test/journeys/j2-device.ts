import { createDevice, createMemoryStore, isOffline, verifyCredential } from '@tillit/client'
import { signJws } from '@tillit/keys'
import type { BatchAccepted, MeteringPoint, Reading } from '@tillit/schemas'
import { gridArea, homes, meterModel } from '../../services/standalone/src/demonstration/cast.ts'
import { householdReadings } from '../../services/standalone/src/demonstration/load-shape.ts'
import { connect, meterSigner } from '../../services/standalone/src/demonstration/seed.ts'
import { registerIdentity } from '../../services/standalone/src/register-identity.ts'
import { expectRefusal, expectThat, type Scene } from './scene.ts'
import type { Stage } from './stage.ts'

const hourMilliseconds = 3_600_000
const dayMilliseconds = 24 * hourMilliseconds
const batchReadings = 1200

/** Whose home it is, and from when the readings of the play are. */
export interface Home {
  meteringPoint: string
  gsrn: string
  timeZone: string
  from: Date
  to: Date
}

/** J2: a device enrols, authenticates, publishes signed readings, goes offline and catches up. */
export async function device(
  scene: Scene,
  stage: Stage,
  { timeZone, from, to, own }: { timeZone: string; from: Date; to: Date; own: boolean },
): Promise<Home> {
  const { city, utility } = stage
  const gsrn = homes.kari.gsrn
  const meter = await stage.newIdentity('meter-7f3k2')
  let meteringPoint = ''
  await scene.step('J2', 'The utility registers the metering point and enrols its meter', async () => {
    meteringPoint = (
      await utility.post<MeteringPoint>('/metering-points', { gsrn, grid_area: gridArea, time_zone: timeZone })
    ).id
    await registerIdentity(city.url, meter, { listed: false })
    const enrolled = await utility.post<{ status: string; credential: string }>('/devices', {
      did: meter.did,
      metering_point: meteringPoint,
      model: meterModel,
      serial: homes.kari.meter,
    })
    expectThat(enrolled.status === 'ACTIVE', 'the enrolled device is active')
    const verified = await verifyCredential(stage.anyone, enrolled.credential, stage.trust())
    expectThat(verified.claims.metering_point === meteringPoint, 'the device holds a credential for its metering point')
    return { did: meter.did, credential: verified.type, metering_point: meteringPoint }
  })

  for (const { name, open } of stage.wallets) {
    await scene.step('J2', `The meter renews its credential by itself, in ${name}`, async () => {
      const [credential, ...more] = await (await open(city.url, meter)).receiveOwn('MeterDeviceCredential')
      expectThat(credential !== undefined && more.length === 0, 'one credential for one meter')
      const verified = await verifyCredential(stage.anyone, credential, stage.trust())
      expectThat(verified.subject === meter.did, 'it is about the meter')
      expectThat(verified.claims.metering_point === meteringPoint, 'it says which metering point it measures')
      return { credential: verified.type, issuer: verified.issuer }
    })
  }

  const store = createMemoryStore()
  const kit = createDevice({ did: meter.did, signer: await meterSigner(meter), store })
  const connection = connect(city, meter)
  const readings = own
    ? householdReadings('J2', { from, to })
    : householdReadings('J2', { from: to, to: new Date(to.getTime() + 10 * dayMilliseconds) })
  const half = Math.floor(readings.length / 2)
  await scene.step('J2', 'The meter gets a token with its own key and publishes signed readings', async () => {
    const count = await recordAll(kit, readings.slice(0, half))
    const answers = await kit.deliver(connection)
    const stored = answers.reduce((sum, answer) => sum + answer.stored, 0)
    expectThat(answers.length === count && stored === half, 'every reading is stored once')
    return { batches: String(answers.length), readings_stored: String(stored) }
  })
  await scene.step('J2', 'Offline it goes on measuring; back online it catches up', async () => {
    await recordAll(kit, readings.slice(half))
    const nowhere = connect({ url: 'http://127.0.0.1:9' }, meter)
    const fault = await kit.deliver(nowhere).then(
      () => null,
      (error: unknown) => error,
    )
    expectThat(fault !== null && isOffline(fault), 'nothing can be delivered while offline')
    const answers = await kit.deliver(connection)
    const stored = answers.reduce((sum, answer) => sum + answer.stored, 0)
    expectThat(stored === readings.length - half, 'what was measured offline is stored')
    return { kept_offline: String(readings.length - half), readings_stored: String(stored) }
  })

  const path = `/devices/${encodeURIComponent(meter.did)}/batches`
  const last = await store.load()
  const next = {
    iss: meter.did,
    seq: (last?.seq ?? 0) + 1,
    prv: last?.digest ?? null,
    product: 'active_energy',
    direction: 'consumption',
    unit: 'W.h',
  }
  const later: Reading = {
    // Before all others, so that nothing is stored for it whatever hour of the day it is.
    start: new Date(from.getTime() - hourMilliseconds).toISOString(),
    duration_seconds: 3600,
    value: 1,
    quality: 'measured',
  }
  await scene.step('J2', 'The same batch again is recognised, not stored twice', async () => {
    const batch = await signJws({ typ: 'tillit-batch+jwt' }, { ...next, readings: [later] }, meter.signer)
    const first = await connection.post<BatchAccepted>(path, { batch })
    const again = await connection.post<BatchAccepted>(path, { batch })
    expectThat(
      first.stored === 1 && again.replay && again.stored === first.stored,
      'the second answer is the first one',
    )
    return { stored: String(first.stored), replay: String(again.replay) }
  })
  await scene.step('J2', 'A forged batch and one from another meter are refused', async () => {
    const stranger = await stage.newIdentity('meter-stranger')
    const forged = await signJws(
      { typ: 'tillit-batch+jwt' },
      { ...next, seq: next.seq + 1, readings: [later] },
      stranger.signer,
    )
    const forgery = await expectRefusal('invalid-signature', () => connection.post(path, { batch: forged }))
    const foreign = await expectRefusal('foreign-stream', () =>
      connection.post(`/devices/${encodeURIComponent(stranger.did)}/batches`, { batch: forged }),
    )
    return { forged: forgery, foreign }
  })
  return { meteringPoint, gsrn, timeZone, from, to }
}

/** Gives how many batches were made. */
async function recordAll(kit: ReturnType<typeof createDevice>, readings: Reading[]): Promise<number> {
  let batches = 0
  for (let at = 0; at < readings.length; at += batchReadings) {
    await kit.record(readings.slice(at, at + batchReadings))
    batches++
  }
  return batches
}
