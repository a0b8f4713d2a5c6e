import { randomBytes } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type City as Connection, connectCity, createDevice, createMemoryStore } from '@tillit/client'
import { fromBase64url, toBase64url } from '@tillit/codec'
import { type Signer, signerFromSeed } from '@tillit/keys'
import type { MeteringPoint, OrganisationClaims, Permission } from '@tillit/schemas'
import type { City } from '../compose.ts'
import { type Identity, openIdentity, type PortableIdentity } from '../identities.ts'
import { registerIdentity } from '../register-identity.ts'
import { adviceScope } from './ask.ts'
import { gridArea, homes, meterModel, organisations, timeZone } from './cast.ts'
import { householdReadings } from './load-shape.ts'

/** Days of readings that a home has from the start. */
const historyDays = 400
/** Hourly readings in a batch: eight weeks, well below the limit of a statement. */
const batchReadings = 1344
const dayMilliseconds = 86_400_000

export interface Demonstration {
  /** Where the identities of the demonstration are kept, as `tillit --identity` reads them. */
  folder: string
  meteringPoint: string
}

/**
 * Makes the demonstration city through the same API that everyone uses. Every step is idempotent and whatever was drawn at
 * random is kept, so a seeding that was interrupted goes on at the next start, and one that is done changes nothing.
 */
export async function seedCity(
  city: City,
  { dataDir, onEvent, now = () => new Date() }: { dataDir: string; onEvent: (event: string) => void; now?: () => Date },
): Promise<Demonstration> {
  const folder = join(dataDir, 'demo')
  const done = await city.keys.secret('seed-state', () => 'started')
  const began = new Date(await city.keys.secret('seed-began', () => now().toISOString()))
  const open = async (name: string, slug: string) => {
    const identity = await openIdentity(city.keys, name, { host: city.didHost, slug, now: began })
    await saveIdentity(folder, city.url, identity)
    return identity
  }
  const adviser = await open('adviser', 'adviser')
  const analyst = await open('analyst', 'analyst')
  await saveIdentity(folder, city.url, city.registrar)
  await saveIdentity(folder, city.url, city.utility)
  const utility = connect(city, city.utility)
  if (done === 'done') return { folder, meteringPoint: await registerHome(utility, homes.kari.gsrn) }

  onEvent('making the demonstration city (once)')
  const registrar = connect(city, city.registrar)
  for (const [identity, claims] of [
    [city.utility, organisations.utility],
    [adviser, organisations.adviser],
    [analyst, organisations.analyst],
  ] as const) {
    await registerIdentity(city.url, identity, { listed: true })
    await accredit(registrar, identity, claims)
  }
  const points: Record<string, string> = {}
  for (const persona of city.personas) {
    const home = persona.key === 'ola' ? homes.ola : homes.kari
    const point = await registerHome(utility, home.gsrn)
    points[persona.key] = point
    await utility.post(`/metering-points/${point}/entitlements`, {
      customer: persona.customerId,
      role: 'holder',
      from: new Date(began.getTime() - 2 * historyDays * dayMilliseconds).toISOString(),
    })
    // The place of a household meter's DID cannot be guessed, and its history is public as commitments only.
    const slug = await city.keys.secret(`slug-${home.meter}`, () => toBase64url(randomBytes(16)))
    const meter = await open(`meter-${persona.key}`, slug)
    await registerIdentity(city.url, meter, { listed: false })
    await utility.post('/devices', { did: meter.did, metering_point: point, model: meterModel, serial: home.meter })
    await publishHistory(city, meter, { seed: home.meter, until: startOfDay(began) })
    onEvent(`${persona.name} has a meter with ${historyDays} days of readings`)
  }
  await connect(city, adviser).post<Permission>(
    '/permission-requests',
    { scope: adviceScope(homes.kari.gsrn, { now: began, recipients: [analyst.did] }) },
    { headers: { 'idempotency-key': 'demonstration' } },
  )
  await city.keys.replace('seed-state', 'done')
  return { folder, meteringPoint: points.kari ?? '' }
}

export function connect(city: { url: string }, { did, keyId, signer }: Identity): Connection {
  return connectCity({ url: city.url, identity: { did, keyId, signer } })
}

export async function accredit(registrar: Connection, { did }: Identity, claims: OrganisationClaims): Promise<void> {
  await registrar.post('/trust/accreditations', { did, claims })
}

async function registerHome(utility: Connection, gsrn: string): Promise<string> {
  const point = await utility.post<MeteringPoint>('/metering-points', {
    gsrn,
    grid_area: gridArea,
    time_zone: timeZone,
  })
  return point.id
}

/** As a meter signs: from its seed, with nothing of its platform. */
export function meterSigner({ privateJwk }: PortableIdentity): Promise<Signer> {
  return signerFromSeed(fromBase64url(privateJwk.d))
}

async function publishHistory(
  city: City,
  meter: PortableIdentity,
  { seed, until }: { seed: string; until: Date },
): Promise<void> {
  const device = createDevice({ did: meter.did, signer: await meterSigner(meter), store: createMemoryStore() })
  const readings = householdReadings(seed, {
    from: new Date(until.getTime() - historyDays * dayMilliseconds),
    to: until,
  })
  for (let at = 0; at < readings.length; at += batchReadings)
    await device.record(readings.slice(at, at + batchReadings))
  await device.deliver(connect(city, meter))
}

async function saveIdentity(folder: string, city: string, { name, did, keyId, privateJwk }: Identity): Promise<void> {
  // A key in a token cannot be handed to the command line.
  if (privateJwk === null) return
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const file = { name, city, did, key_id: keyId, private_jwk: privateJwk }
  await writeFile(join(folder, `${name}.json`), `${JSON.stringify(file, null, 2)}\n`, { mode: 0o600 })
}

function startOfDay(time: Date): Date {
  return new Date(Math.floor(time.getTime() / dayMilliseconds) * dayMilliseconds)
}
