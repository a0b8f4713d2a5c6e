import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type City,
  completeReceipt,
  connectCity,
  createAcceptance,
  createDevice,
  createKeyBinding,
  createMemoryStore,
  createStatement,
} from '@tillit/client'
import { openKeyStore } from '@tillit/key-store'
import { generatePrivateJwk, type PrivateJwk, type Signer, signerFromJwk } from '@tillit/keys'
import { verifyReceipt } from '@tillit/log'
import type {
  AccessRecord,
  Acknowledgement,
  BatchAccepted,
  MeteringPoint,
  Opening,
  Permission,
  ReadingSeries,
  Receipt,
} from '@tillit/schemas'
import { gridArea, meterModel, timeZone } from '../../services/standalone/src/demonstration/cast.ts'
import { householdReadings } from '../../services/standalone/src/demonstration/load-shape.ts'
import { openIdentity } from '../../services/standalone/src/identities.ts'
import { registerIdentity } from '../../services/standalone/src/register-identity.ts'
import { signIn } from '../journeys/sign-in.ts'
import type { Site } from './city-process.ts'

const dayMilliseconds = 86_400_000
const gsrn = '707057500000000155'
/** Before the demonstration's own history; a meter publishes a day after the other from here. */
const firstDay = Math.floor(Date.now() / dayMilliseconds) * dayMilliseconds - 600 * dayMilliseconds

/** Kari with the permission she gave to the adviser, and a second meter of hers that goes on publishing. */
export interface Household {
  /** Publishes one more day (24 readings), and whatever was not acknowledged before. Gives the batches acknowledged now. */
  publishDay(): Promise<BatchAccepted[]>
  /** Sends every batch that was ever acknowledged again. */
  publishAgain(): Promise<BatchAccepted[]>
  /** Batches that were acknowledged, in order. */
  readonly acknowledged: BatchAccepted[]
  /** The adviser reads a week of Kari's demonstration meter. */
  read(): Promise<ReadingSeries>
  /** What Kari sees of the second meter, hour by hour; recorded like any read. */
  readOwn(): Promise<ReadingSeries>
  /** What `readOwn` must show after so many days. */
  expectedOwn(days: number): { start: string; value: number }[]
  accessRecords(): Promise<AccessRecord[]>
  /** The proof of one record, verified as far as the log. */
  proofOf(record: string): Promise<Receipt>
  revoke(): Promise<Permission>
}

export interface HouseholdOptions {
  /** Through which the meter and the adviser ask, to watch the answers. */
  fetch?: typeof fetch
}

export async function moveIn(url: string, site: Site, options: HouseholdOptions = {}): Promise<Household> {
  const anyone = connectCity({ url })
  const adviser = await connectAs(url, site, 'adviser', options)
  const utility = await connectAs(url, site, 'utility', {})
  const kari = await signIn(url, 'kari')
  const { permission, wallet } = await acceptWaiting(anyone, kari)
  const point = await utility.post<MeteringPoint>('/metering-points', {
    gsrn,
    grid_area: gridArea,
    time_zone: timeZone,
  })
  await utility.post(`/metering-points/${point.id}/entitlements`, {
    customer: kari.customer,
    role: 'holder',
    from: new Date(firstDay - dayMilliseconds).toISOString(),
  })
  const folder = join(site.dataDir, '..', 'household')
  const keys = await openKeyStore({ folder, passphrase: folder, now: () => new Date() })
  const meter = await openIdentity(keys, 'meter', {
    host: `localhost:${site.port}`,
    slug: 'second-meter',
    now: new Date(),
  })
  await registerIdentity(url, meter, { listed: false })
  await utility.post('/devices', { did: meter.did, metering_point: point.id, model: meterModel, serial: 'NH-0099' })

  const store = createMemoryStore()
  const kit = createDevice({ did: meter.did, signer: meter.signer, store })
  const meterCity = connectCity({ url, identity: meter, ...options })
  const signed = new Map<number, string>()
  const acknowledged: BatchAccepted[] = []
  let days = 0

  return {
    acknowledged,
    async publishDay() {
      const seq = await kit.record(readingsOf(days++, 1))
      signed.set(seq, (await store.load())?.pending.at(-1) ?? '')
      return deliver()
    },
    publishAgain: () =>
      Promise.all(
        acknowledged.map(({ seq }) =>
          meterCity.post<BatchAccepted>(`/devices/${encodeURIComponent(meter.did)}/batches`, {
            batch: signed.get(seq),
          }),
        ),
      ),
    async read() {
      const until = Math.floor(Date.now() / dayMilliseconds) * dayMilliseconds - 20 * dayMilliseconds
      const query = { from: new Date(until - 8 * dayMilliseconds).toISOString(), to: new Date(until).toISOString() }
      return adviser.get<ReadingSeries>(`/metering-points/${permission.metering_point}/readings`, { query })
    },
    readOwn: async () => {
      const query = { from: new Date(firstDay).toISOString(), to: new Date().toISOString(), granularity: 'PT1H' }
      return (await signIn(url, 'kari')).city.get<ReadingSeries>(`/metering-points/${point.id}/readings`, { query })
    },
    expectedOwn: (count) => readingsOf(0, count).map(({ start, value }) => ({ start, value })),
    accessRecords: async () =>
      (await kari.city.get<{ access_records: AccessRecord[] }>('/access-records')).access_records,
    async proofOf(record) {
      const opening = await kari.city.get<Opening>(`/access-records/${record}/receipt`)
      const receipt = await completeReceipt(anyone, opening)
      verifyReceipt(receipt)
      return receipt
    },
    async revoke() {
      const { did: authority } = await anyone.get<{ did: string }>('/authority')
      const statement = await createStatement('revoke', permission.id, { signer: wallet, now: new Date(), authority })
      const answer = await kari.city.post<Acknowledgement>(`/permissions/${permission.id}/revocation`, { statement })
      return answer.permission
    },
  }

  async function deliver(): Promise<BatchAccepted[]> {
    // One by one, so that what was acknowledged before a fault is not forgotten with it.
    const answers: BatchAccepted[] = []
    const watched: City = {
      ...meterCity,
      post: async <T>(...args: Parameters<City['post']>) => {
        const answer = await meterCity.post<BatchAccepted>(...args)
        answers.push(answer)
        acknowledged.push(answer)
        return answer as T
      },
    }
    await kit.deliver(watched)
    return answers
  }
}

function readingsOf(day: number, count: number) {
  const from = new Date(firstDay + day * dayMilliseconds)
  return householdReadings('second', { from, to: new Date(from.getTime() + count * dayMilliseconds) })
}

/** Kari's wallet gets a key and accepts the demonstration's request as it is. */
async function acceptWaiting(
  anyone: City,
  kari: { city: City; customer: string },
): Promise<{ permission: Permission; wallet: Signer }> {
  const { did: authority } = await anyone.get<{ did: string }>('/authority')
  const wallet = await signerFromJwk(await generatePrivateJwk())
  const binding = await createKeyBinding(kari.customer, { signer: wallet, now: new Date(), authority })
  await kari.city.post('/wallet/keys', { statement: binding })
  const query = { state: 'SENT_TO_PERMISSION_ADMINISTRATOR' }
  const { permissions } = await kari.city.get<{ permissions: Permission[] }>('/permissions', { query })
  const [waiting] = permissions
  if (waiting === undefined) throw new Error('no request is waiting')
  const notice = { version: '1', locale: 'en' } as const
  const statement = await createAcceptance(waiting, waiting.requested_scope, {
    ...{ signer: wallet, now: new Date(), notice },
  })
  const answer = await kari.city.post<Acknowledgement>(`/permissions/${waiting.id}/acceptance`, { statement })
  return { permission: answer.permission, wallet }
}

/** As one of the identities that the demonstration leaves in the data folder. */
export async function connectAs(url: string, site: Site, name: string, options: HouseholdOptions): Promise<City> {
  const file = JSON.parse(await readFile(join(site.dataDir, 'demo', `${name}.json`), 'utf8')) as {
    did: string
    key_id: string
    private_jwk: PrivateJwk
  }
  const signer = await signerFromJwk(file.private_jwk)
  return connectCity({ url, identity: { did: file.did, keyId: file.key_id, signer }, ...options })
}
