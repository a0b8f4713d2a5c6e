import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { didKeyFor, fetchTrustBundle, type PrivateJwk, verifyCredential, verifyOffline } from '@tillit/client'
import { generatePrivateJwk, signerFromJwk, toMultikey } from '@tillit/keys'
import type { MeteringPoint } from '@tillit/schemas'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { organisations } from '../services/standalone/src/demonstration/cast.ts'
import { accredit } from '../services/standalone/src/demonstration/seed.ts'
import { registerIdentity } from '../services/standalone/src/register-identity.ts'
import { openStage, type Stage } from './journeys/stage.ts'

const bin = fileURLToPath(new URL('../packages/cli/bin/tillit.mjs', import.meta.url))
const lines = 4_000
const minutes = 60_000

let stage: Stage
let folder: string
let point: string

beforeAll(async () => {
  stage = await openStage()
  folder = await mkdtemp(join(tmpdir(), 'tillit-bulk-'))
  await registerIdentity(stage.city.url, stage.city.utility, { listed: true })
  await accredit(stage.registrar, stage.city.utility, organisations.utility)
  const body = { gsrn: '707057500000000001', grid_area: 'NO1', time_zone: 'Europe/Oslo' }
  point = (await stage.utility.post<MeteringPoint>('/metering-points', body)).id
  await saveIdentity('utility', stage.city.utility)
  await saveIdentity('registrar', stage.city.registrar)
}, 3 * minutes)

afterAll(async () => {
  await stage.close()
  await rm(folder, { recursive: true })
})

interface Portable {
  did: string
  keyId: string
  privateJwk: PrivateJwk | null
}

async function saveIdentity(name: string, { did, keyId, privateJwk }: Portable): Promise<void> {
  if (privateJwk === null) throw new Error('the key cannot be handed out')
  const file = { name, city: stage.city.url, did, key_id: keyId, private_jwk: privateJwk }
  await writeFile(join(folder, `${name}.json`), JSON.stringify(file), { mode: 0o600 })
}

interface Ran {
  status: number | null
  out: string
  err: string
}

/** The command as a person runs it; `killWhen` its standard error matches, it is killed. */
async function tillit(args: string[], { killWhen }: { killWhen?: RegExp } = {}): Promise<Ran> {
  const child = spawn(process.execPath, [bin, ...args], { cwd: folder, env: {}, stdio: ['ignore', 'pipe', 'pipe'] })
  const ran: Ran = { status: null, out: '', err: '' }
  child.stdout.setEncoding('utf8').on('data', (text) => {
    ran.out += text
  })
  child.stderr.setEncoding('utf8').on('data', (text) => {
    ran.err += text
    if (killWhen?.test(ran.err)) child.kill('SIGKILL')
  })
  const [status] = await once(child, 'close')
  return { ...ran, status }
}

const issuing = (from: string, out: string) => [
  ...['credentials', 'issue', '--type', 'MeteringPointEntitlement'],
  ...['--from', from, '--out', out, '--identity', 'utility.json'],
]

const entriesOf = async (file: string) => {
  const text = await readFile(join(folder, file), 'utf8')
  // What a kill left of the last line does not count.
  const [head = '', ...entries] = text.split('\n').slice(0, -1)
  return {
    head: JSON.parse(head) as { run: string },
    entries: entries.map((entry) => JSON.parse(entry) as { line: number; id: string; credential: string }),
  }
}

test(
  'a customer base is issued once each, however often the command is killed, and what is refused is told',
  async () => {
    const holder = didKeyFor((await signerFromJwk(await generatePrivateJwk())).publicKey)
    const rows = Array.from({ length: lines }, (_, i) => {
      const gsrn = (i + 1) % 1000 === 0 ? '707057500000000018' : '707057500000000001'
      return `${holder},${gsrn},holder,2025-01-01T00:00:00Z\n`
    })
    await writeFile(join(folder, 'customers.csv'), `holder,gsrn,role,from\n${rows.join('')}`)

    const killed = await tillit(issuing('customers.csv', 'issued.jsonl'), { killWhen: /[1-9]\d* of 4000 issued/ })
    expect(killed.status).toBeNull()
    const before = await entriesOf('issued.jsonl')
    expect(before.entries.length).toBeLessThan(lines - 4)

    const again = await tillit(issuing('customers.csv', 'issued.jsonl'))
    expect(again.err).toMatch(/100 % {2}\d+ of 4000 issued, 4 refused/)
    expect(again.out).toContain('4 lines refused')
    expect(again.status).toBe(1)
    const { head, entries } = await entriesOf('issued.jsonl')
    expect(head.run).toBe(before.head.run)
    expect(new Set(entries.map(({ line }) => line)).size).toBe(lines - 4)
    expect(entries).toHaveLength(lines - 4)
    const refused = (await readFile(join(folder, 'issued.jsonl.refused.csv'), 'utf8')).trim().split('\n')
    const why = 'metering-point-not-found,The issuer has no such metering point'
    expect(refused.sort()).toEqual([...[1000, 2000, 3000, 4000].map((line) => `${line},${why}`), 'line,code,detail'])

    const { rows: counts } = await query<{ credentials: number; indexes: number }>(
      `SELECT count(*)::int AS credentials, count(DISTINCT (status_list_id, status_index))::int AS indexes
       FROM credentials.issued_credentials WHERE holder = $1`,
      [holder],
    )
    expect(counts).toEqual([{ credentials: lines - 4, indexes: lines - 4 }])
    for (const { credential } of [entries[0], entries.at(-1)].filter((entry) => entry !== undefined)) {
      const verified = await verifyCredential(stage.anyone, credential, stage.trust())
      expect(verified.claims).toMatchObject({ metering_point: point, gsrn: '707057500000000001' })
    }

    const nothing = await tillit(issuing('customers.csv', 'issued.jsonl'))
    expect(nothing.out).toContain(`0 credentials made, 4 lines refused, ${lines - 4} were there already.`)
  },
  5 * minutes,
)

test(
  'customers whose wallets are not known get offers, each with a code of its own',
  async () => {
    const customers = stage.city.personas.slice(0, 2).map(({ customerId }) => customerId)
    await writeFile(join(folder, 'letters.csv'), `customer\n${customers.join('\n')}\nnobody\n`)
    const args = issuing('letters.csv', 'offers.jsonl')
    const ran = await tillit([...args, '--offers'])
    expect(ran).toMatchObject({ status: 1, out: '2 offers made, 1 lines refused, 0 were there already.\n' })
    const offers = (await entriesOf('offers.jsonl')).entries as unknown as Record<string, string>[]
    expect(offers.map(({ customer }) => customer)).toEqual(customers)
    for (const { tx_code, openid_credential_offer } of offers) {
      expect(tx_code).toMatch(/^[0-9]{6}$/)
      expect(openid_credential_offer).toMatch(/^openid-credential-offer:\/\/\?credential_offer_uri=/)
    }
    const refused = await readFile(join(folder, 'offers.jsonl.refused.csv'), 'utf8')
    expect(refused).toMatch(/^line,code,detail\n3,invalid-request,/)
    expect((await tillit([...args, '--offers'])).out).toContain('0 offers made, 1 lines refused, 2 were there already.')
  },
  2 * minutes,
)

test(
  'a credential is suspended, reinstated and revoked, and whoever verifies sees it',
  async () => {
    const { entries } = await entriesOf('issued.jsonl')
    const { id = '', credential = '' } = entries[0] ?? {}
    const change = (verb: string) => tillit(['credentials', verb, id, '--identity', 'utility.json'])
    const verifying = () => verifyCredential(stage.anyone, credential, { ...stage.trust(), now: new Date() })

    expect(await change('suspend')).toMatchObject({ status: 0, out: `${id} is suspended.\n` })
    await expect(verifying()).rejects.toMatchObject({ code: 'credential-revoked' })
    expect(await change('reinstate')).toMatchObject({ status: 0, out: `${id} is valid again.\n` })
    await expect(verifying()).resolves.toMatchObject({ status: 'valid' })
    expect(await change('revoke')).toMatchObject({ status: 0, out: `${id} is revoked for good.\n` })
    await expect(verifying()).rejects.toMatchObject({ code: 'credential-revoked' })
    expect(await change('reinstate')).toMatchObject({ status: 1, err: expect.stringContaining('conflict') })
  },
  2 * minutes,
)

test(
  'a bundle that was fetched once verifies every credential of the utility without the city, as of then',
  async () => {
    const { entries } = await entriesOf('issued.jsonl')
    const [, one, other] = entries
    const fetchedAt = new Date()
    const bundle = await fetchTrustBundle(stage.anyone, [one?.credential], { ...stage.trust(), now: fetchedAt })
    const { registrar, authority, inflate } = stage.trust()
    const anchors = {
      rootDid: registrar,
      authorityDids: [authority],
      inflate,
      gunzip: (bytes: Uint8Array, maxOutputLength: number) => new Uint8Array(gunzipSync(bytes, { maxOutputLength })),
      maxStatusAgeSeconds: 3600,
    }
    const later = (seconds: number) => new Date(fetchedAt.getTime() + seconds * 1000)
    const offline = (seconds: number) =>
      verifyOffline(other?.credential, JSON.parse(JSON.stringify(bundle)), { ...anchors, now: later(seconds) })
    const verified = await offline(3500)
    expect(verified).toMatchObject({ issuer: stage.city.utility.did, status: 'valid' })
    expect(verified.statusAsOf.getTime()).toBeLessThanOrEqual(fetchedAt.getTime() + 1000)
    await expect(offline(3700)).rejects.toMatchObject({ code: 'status-unknown' })
  },
  minutes,
)

test(
  'what a key signed that is reported as compromised is believed by nobody any more',
  async () => {
    const { entries } = await entriesOf('issued.jsonl')
    const credential = entries.at(-1)?.credential ?? ''
    const { did, keyId, signer } = stage.city.utility
    const verifying = () => verifyCredential(stage.anyone, credential, { ...stage.trust(), now: new Date() })
    await expect(verifying()).resolves.toMatchObject({ issuer: did })
    const key = toMultikey(signer.publicKey)
    const report = await tillit(['credentials', 'key-compromised', keyId, '--identity', 'registrar.json'])
    expect(report).toMatchObject({ status: 0, err: '' })
    expect(report.out).toContain(did)
    expect(keyId).toContain(key)
    await expect(verifying()).rejects.toMatchObject({ code: 'untrusted-issuer' })
  },
  2 * minutes,
)

async function query<Row extends pg.QueryResultRow>(text: string, values: unknown[]): Promise<pg.QueryResult<Row>> {
  const client = new pg.Client({ connectionString: stage.city.databaseUrl })
  await client.connect()
  try {
    return await client.query<Row>(text, values)
  } finally {
    await client.end()
  }
}
