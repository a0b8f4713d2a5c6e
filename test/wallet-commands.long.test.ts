import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { City } from '@tillit/client'
import type { MeteringPoint, NewOffer, Presentation } from '@tillit/schemas'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { gridArea, homes, organisations, timeZone } from '../services/standalone/src/demonstration/cast.ts'
import { accredit } from '../services/standalone/src/demonstration/seed.ts'
import type { PortableIdentity } from '../services/standalone/src/identities.ts'
import { registerIdentity } from '../services/standalone/src/register-identity.ts'
import { openStage, type Stage } from './journeys/stage.ts'

const bin = fileURLToPath(new URL('../packages/cli/bin/tillit.mjs', import.meta.url))

let folder: string
let stage: Stage
let adviser: City
let meteringPoint: string
let customer: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tillit-wallet-'))
  stage = await openStage()
  for (const [identity, claims] of [
    [stage.city.utility, organisations.utility],
    [stage.adviser, organisations.adviser],
  ] as const) {
    await registerIdentity(stage.city.url, identity, { listed: true })
    await accredit(stage.registrar, identity, claims)
  }
  adviser = stage.as(stage.adviser)
  customer = stage.city.personas[0]?.customerId ?? ''
  const point = { gsrn: homes.kari.gsrn, grid_area: gridArea, time_zone: timeZone }
  meteringPoint = (await stage.utility.post<MeteringPoint>('/metering-points', point)).id
  await stage.utility.post(`/metering-points/${meteringPoint}/entitlements`, {
    ...{ customer, role: 'holder', from: '2025-01-01T00:00:00Z' },
  })
})
afterAll(async () => {
  await stage?.close()
  await rm(folder, { recursive: true })
})

interface Ran {
  status: number
  out: string
  err: string
}

/** The command as a person runs it, without a terminal. */
function tillit(...args: string[]): Promise<Ran> {
  return new Promise((resolve) => {
    const whole = [bin, 'wallet', ...args, '--city', stage.city.url]
    const child = execFile(process.execPath, whole, { cwd: folder, env: {} }, (error, out, err) => {
      resolve({ status: error === null ? 0 : Number(error.code), out, err })
    })
    child.stdin?.end()
  })
}

const offerOf = (request: object = {}) =>
  stage.utility.post<NewOffer>('/openid4vci/offers', {
    ...{ holder: customer, configuration_ids: ['MeteringPointEntitlement'], ...request },
  })
const askFor = (preset: object) =>
  adviser.post<Presentation>('/presentations', { purpose: 'To advise you on your use', preset })

async function identityFile({ name, did, keyId, privateJwk }: PortableIdentity): Promise<string> {
  const file = join(folder, `${name}.json`)
  const identity = { name, city: stage.city.url, did, key_id: keyId, private_jwk: privateJwk }
  await writeFile(file, JSON.stringify(identity))
  return file
}

test('an offer is shown, accepted only when that was said, and kept for the eyes of the file’s owner', async () => {
  const { links, tx_code: txCode = '' } = await offerOf()
  const shown = await tillit('receive', links.openid_credential_offer)
  expect(shown).toMatchObject({ status: 2, out: '' })
  expect(shown.err).toContain(`An offer of ${stage.city.url}`)
  expect(shown.err).toContain('My metering point (MeteringPointEntitlement)')
  expect(shown.err).toContain('add --yes to agree')
  expect(await stat(join(folder, 'wallet.json')).catch(() => null)).toBeNull()

  const wrong = await tillit('receive', links.openid_credential_offer, '--yes', '--tx-code', '0')
  expect(wrong).toMatchObject({ status: 1, out: '' })
  expect(wrong.err).toMatch(/^An offer of .*\ninvalid_grant: /s)

  const received = await tillit('receive', links.openid_credential_offer, '--yes', '--tx-code', txCode)
  expect(received.status).toBe(0)
  expect(received.out).toContain('MeteringPointEntitlement\n')
  expect(received.out).toMatch(new RegExp(`gsrn +${homes.kari.gsrn} {2}\\(shown only when asked for\\)`))
  const { mode } = await stat(join(folder, 'wallet.json'))
  expect(mode & 0o777).toBe(0o600)
})

test('a list tells the status when it is asked to', async () => {
  expect((await tillit('list')).out).toMatch(/status +unknown/)
  const { out } = await tillit('list', '--status', '--json')
  expect(JSON.parse(out)).toMatchObject([{ type: 'MeteringPointEntitlement', status: 'valid' }])
})

test('a request is shown with what it would tell, and answered only when that was said', async () => {
  const asked = await askFor({ name: 'may-act-for-metering-point', metering_point: meteringPoint })
  const link = asked.request?.links.openid4vp ?? ''
  const shown = await tillit('present', link)
  expect(shown).toMatchObject({ status: 2, out: '' })
  expect(shown.err).toContain(`for ${organisations.adviser.legal_name}: To advise you on your use`)
  expect(shown.err).toContain(`metering_point  "${meteringPoint}"`)
  expect(shown.err).not.toContain(homes.kari.gsrn)
  expect((await adviser.get<Presentation>(`/presentations/${asked.id}`)).state).not.toBe('proved')

  expect(await tillit('present', link, '--yes')).toMatchObject({ status: 0, out: 'The verifier has the answer.\n' })
  const { state, credentials } = await adviser.get<Presentation>(`/presentations/${asked.id}`)
  expect([state, credentials?.[0]?.claims]).toEqual(['proved', { metering_point: meteringPoint }])

  const again = await tillit('present', link, '--yes')
  expect(again).toMatchObject({ status: 1, out: '' })
})

test('what the wallet does not hold it does not present', async () => {
  const asked = await askFor({ name: 'is-accredited-organisation' })
  const { status, err } = await tillit('present', asked.request?.links.openid4vp ?? '', '--yes')
  expect([status, err]).toEqual([1, 'credential-not-held: Nothing here answers the query organisation\n'])
})

test('what the utility cannot say yet is promised, and collected when it has said it', async () => {
  const other = stage.city.personas[1]?.customerId ?? ''
  const { links, tx_code: txCode = '' } = await offerOf({ holder: other })
  const own = ['--store', 'later.json']
  const promised = await tillit('receive', links.openid_credential_offer, '--yes', '--tx-code', txCode, ...own)
  expect(promised).toMatchObject({ status: 0, out: '' })
  expect(promised.err).toContain('MeteringPointEntitlement is promised: "tillit wallet collect" from ')
  expect((await tillit('collect', ...own)).err).toContain('is not there yet')

  const point = { gsrn: homes.ola.gsrn, grid_area: gridArea, time_zone: timeZone }
  const { id } = await stage.utility.post<MeteringPoint>('/metering-points', point)
  await stage.utility.post(`/metering-points/${id}/entitlements`, {
    ...{ customer: other, role: 'holder', from: '2025-01-01T00:00:00Z' },
  })
  await waitIsOver(join(folder, 'later.json'))
  expect((await tillit('collect', ...own)).out).toMatch(new RegExp(`metering_point +${id}\\n`))
  // One key is left, that of the credential; nothing waits any more.
  const left = JSON.parse(await readFile(join(folder, 'later.json'), 'utf8')) as Record<string, unknown[]>
  expect([left.keys?.length, left.credentials?.length, left.deferred]).toEqual([1, 1, []])
})

/** As if the time had passed that the issuer asked the wallet to wait. */
async function waitIsOver(file: string): Promise<void> {
  const document = JSON.parse(await readFile(file, 'utf8')) as { deferred: object[] }
  const deferred = document.deferred.map((one) => ({ ...one, askAfter: '2000-01-01T00:00:00.000Z' }))
  await writeFile(file, JSON.stringify({ ...document, deferred }))
}

test('somebody with two metering points receives the entitlement to each', async () => {
  const point = { gsrn: '707057500000000032', grid_area: gridArea, time_zone: timeZone }
  const { id } = await stage.utility.post<MeteringPoint>('/metering-points', point)
  await stage.utility.post(`/metering-points/${id}/entitlements`, {
    ...{ customer, role: 'co-occupant', from: '2025-01-01T00:00:00Z' },
  })
  const { links, tx_code: txCode = '' } = await offerOf()
  const { out } = await tillit(
    ...['receive', links.openid_credential_offer, '--yes', '--tx-code', txCode],
    ...['--copies', '2', '--store', 'two.json', '--json'],
  )
  const received = JSON.parse(out) as { claims: { metering_point: string } }[]
  const points = received.map(({ claims }) => claims.metering_point)
  expect(points.toSorted()).toEqual([id, id, meteringPoint, meteringPoint].toSorted())
})

test('an organisation receives its accreditation by its DID, and shows it', async () => {
  const identity = await identityFile(stage.adviser)
  const own = ['--identity', identity, '--store', 'organisation.json']
  const received = await tillit('receive', '--own', 'OrganisationCredential', ...own)
  expect(received).toMatchObject({ status: 0, err: '' })
  expect(received.out).toMatch(new RegExp(`legal_name +${organisations.adviser.legal_name}\n`))
  const asked = await askFor({ name: 'is-accredited-organisation' })
  const presented = await tillit('present', asked.request?.links.openid4vp ?? '', '--yes', ...own)
  expect(presented.status).toBe(0)
  const { credentials } = await adviser.get<Presentation>(`/presentations/${asked.id}`)
  expect(credentials?.[0]?.claims.legal_name).toBe(organisations.adviser.legal_name)
  // The key is the DID's: the wallet's file does not hold it.
  expect(JSON.parse(await readFile(join(folder, 'organisation.json'), 'utf8'))).toMatchObject({ keys: [] })
})
