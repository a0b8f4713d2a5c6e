import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type City as Connection, connectCity } from '@tillit/client'
import { testDatabase } from '@tillit/database'
import { gsrnCheckDigit } from '@tillit/metering'
import type { MeteringPoint, OrganisationClaims, Permission, Scope } from '@tillit/schemas'
import { startCity } from '../../services/standalone/src/compose.ts'
import { readConfig } from '../../services/standalone/src/config.ts'
import { type Identity, openIdentity } from '../../services/standalone/src/identities.ts'
import { freePort } from '../journeys/free-port.ts'

const millisecondsOfDay = 86_400_000
export const adviserName = 'Lysglimt Energiråd AS'
export const utilityName = 'Nordhavn Nett AS'
export const citizenName = 'Kari Nordmann'

export interface CityWithARequest {
  url: string
  /** The eligible party that asks, connected as itself. */
  adviser: Connection
  request: Permission
  meteringPointId: string
  stop(): Promise<void>
}

/** A whole city with one meter, 35 days of hourly values, and an energy adviser who has asked for them. */
export async function startCityWithARequest(): Promise<CityWithARequest> {
  const dataDir = await mkdtemp(join(tmpdir(), 'tillit-city-'))
  const database = await testDatabase()
  const config = readConfig({
    ...{ PORT: String(await freePort()), DATA_DIR: dataDir, DATABASE_URL: database.url, LOG_LEVEL: 'error' },
  })
  const city = await startCity(config, { onEvent: () => undefined })
  const as = ({ did, keyId, signer }: Identity) => connectCity({ url: city.url, identity: { did, keyId, signer } })
  const anyone = connectCity({ url: city.url })
  const organisation = async (identity: Identity, claims: Pick<OrganisationClaims, 'legal_name' | 'roles'>) => {
    await anyone.post('/dids', { entry: identity.genesis, listed: true })
    const more = { registration_number: '999', country: 'NO', purposes: ['energy-advice', 'energy-reporting'] }
    await as(city.registrar).post('/trust/accreditations', { did: identity.did, claims: { ...more, ...claims } })
    return as(identity)
  }
  const adviserIdentity = await openIdentity(city.keys, 'lysglimt', {
    ...{ host: config.didHost, slug: 'lysglimt', now: new Date() },
  })
  const utility = await organisation(city.utility, { legal_name: utilityName, roles: ['utility'] })
  const adviser = await organisation(adviserIdentity, { legal_name: adviserName, roles: ['eligible_party'] })
  const gsrn = `70705750000000999${gsrnCheckDigit('70705750000000999')}`
  const point = await utility.post<MeteringPoint>('/metering-points', {
    ...{ gsrn, grid_area: 'NO1', time_zone: 'Europe/Oslo' },
  })
  const citizen = city.personas.find(({ name }) => name === citizenName)
  if (citizen === undefined) throw new Error(`the city has no ${citizenName}`)
  await utility.post(`/metering-points/${point.id}/entitlements`, {
    ...{ customer: citizen.customerId, role: 'holder', from: '2020-01-01T00:00:00Z' },
  })
  await utility.post(`/metering-points/${point.id}/imports`, {
    ...{ product: 'active_energy', direction: 'consumption', unit: 'W.h', readings: hourlyValues(new Date()) },
  })
  const scope = { ...scopeOf(gsrn, new Date()), delegation: { max_depth: 1, recipients: [city.utility.did] } }
  const request = await adviser.post<Permission>('/permission-requests', { scope })
  return {
    ...{ url: city.url, adviser, request, meteringPointId: point.id },
    stop: async () => {
      await city.stop()
      await database.drop()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}

function hourlyValues(now: Date) {
  const end = Math.floor(now.getTime() / 3_600_000) * 3_600_000
  return Array.from({ length: 35 * 24 }, (_, index) => ({
    start: new Date(end - (35 * 24 - index) * 3_600_000).toISOString(),
    ...{ duration_seconds: 3600, value: 300 + (index % 24) * 40, quality: 'measured' },
  }))
}

function scopeOf(gsrn: string, now: Date): Scope {
  const day = (days: number) => new Date(now.getTime() + days * millisecondsOfDay).toISOString()
  return {
    ...{ type: 'https://tillit.example/rar/metering-data/v1', actions: ['read'], datatypes: ['validated_history'] },
    ...{ resources: [`gsrn:${gsrn}`], products: ['active_energy'], directions: ['consumption'] },
    ...{ period: { from: day(-60), to: day(180) }, finest_granularity: 'PT1H', subject_form: 'identified' },
    delivery: ['pull'],
    purpose: [
      { code: 'energy-advice', required: true },
      { code: 'energy-reporting', required: false },
    ],
    ...{ legal_basis: 'eu-gdpr:A6-1-a', eprivacy_basis: null, expires: day(180), delete_after: 'P30D' },
    ...{ delegation: { max_depth: 0, recipients: [] }, countries: ['NO'], data_need: null },
  }
}
