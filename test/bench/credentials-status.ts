import { randomBytes } from 'node:crypto'
import { deflateSync } from 'node:zlib'
import { issueSdJwtVc } from '@tillit/credential'
import { connect } from '@tillit/database'
import { didKeyFor } from '@tillit/did'
import { generatePrivateJwk, signerFromJwk, toMultikey, toPublicJwk } from '@tillit/keys'
import { isMade, issueBatch } from '../../services/credentials/src/bulk/issue-batch.ts'
import type { CredentialOrder } from '../../services/credentials/src/issue-credential.ts'
import { createStatusListPublisher } from '../../services/credentials/src/publish-status-list.ts'
import { createStore } from '../../services/credentials/src/store.ts'
import type { CredentialsTables } from '../../services/credentials/src/tables.ts'
import { alternate } from './alternate.ts'
import { type BenchDatabase, openBenchDatabase } from './bench-database.ts'
import { type Figure, figure, figureWithin } from './figure.ts'

const bench = 'credentials'
const publicUrl = 'https://city.example'
const meteringPoint = 'mp_AAAAAAAAAAAAAAAAAAAAAA'

/** Lines of a batch, and batches under way at once: as the command line sends them. */
const batchLines = 500
const batchesAtOnce = 2

const listEntries = 1_000_000
const revokedShare = 0.01

/** Issuing by the hundred beside signing alone, and publishing a large status list beside what zlib takes of it. */
export async function credentialsStatusBench(): Promise<Figure[]> {
  const database = await openBenchDatabase()
  try {
    const city = await openIssuer(database)
    try {
      return [...(await bulkFigures(city)), ...(await listFigures(city, database))]
    } finally {
      await city.close()
    }
  } finally {
    await database.close()
  }
}

type Issuer = Awaited<ReturnType<typeof openIssuer>>

/** The parts of the credentials service that issue and publish, over a durable database, with a utility that may issue. */
async function openIssuer(database: BenchDatabase) {
  const signer = await signerFromJwk(await generatePrivateJwk())
  const holder = await signerFromJwk(await generatePrivateJwk())
  const did = didKeyFor(signer.publicKey)
  const issuer = { signer, keyId: `${did}#${toMultikey(signer.publicKey)}` }
  await database.admin.query(
    `INSERT INTO credentials.parties (did, name, registration_number, country, roles, purposes, status, changed_at)
     VALUES ($1, 'Nordvik Nett AS', '999888777', 'NO', '{utility}', '{}', 'ACTIVE', now())`,
    [did],
  )
  const db = connect<CredentialsTables>({ url: database.url, schema: 'credentials', onError: console.error })
  const context = {
    store: createStore(db),
    now: () => new Date(),
    randomBytes: (length: number) => new Uint8Array(randomBytes(length)),
    issuers: async () => issuer,
    publicUrl,
    authorityDid: did,
    statusListSize: listEntries,
  }
  const order: CredentialOrder = {
    type: 'MeteringPointEntitlement',
    holder: { did: didKeyFor(holder.publicKey), jwk: toPublicJwk(holder.publicKey) },
    claims: {
      gsrn: '707057500000000001',
      metering_point: meteringPoint,
      role: 'holder',
      from: '2025-01-01T00:00:00+01:00',
    },
  }
  return { did, issuer, context, order, close: () => db.destroy() }
}

async function bulkFigures({ did, issuer, context, order }: Issuer): Promise<Figure[]> {
  const signOnly = async (times: number) => {
    let signed = 0
    for (; signed < times; signed++) {
      await issueSdJwtVc({
        type: order.type,
        issuerDid: did,
        signer: issuer.signer,
        keyId: issuer.keyId,
        subjectDid: did,
        holderJwk: order.holder.jwk,
        claims: order.claims,
        status: { idx: signed, uri: `${publicUrl}/credentials/status-lists/1` },
        id: 'cred_AAAAAAAAAAAAAAAAAAAAAA',
        issuedAt: context.now(),
        expires: new Date(context.now().getTime() + 86_400_000),
        randomBytes: context.randomBytes,
      })
    }
    return signed
  }
  const orders = Array.from({ length: batchLines }, () => order)
  const issueOne = async () => (await issueBatch(context, { issuerDid: did, orders })).filter(isMade).length
  const pace = { rounds: 7, roundMilliseconds: 1000, warmUpMilliseconds: 4000 }
  const perSecond = await alternate(
    {
      bulk: async (times) => {
        let left = times
        let batches = 0
        const inTurn = async () => {
          while (left-- > 0) {
            const issued = await issueOne()
            if (issued === batchLines) batches++
          }
        }
        await Promise.all(Array.from({ length: batchesAtOnce }, inTurn))
        return batches
      },
      signing: async (times) => ((await signOnly(times * batchLines)) === times * batchLines ? times : 0),
    },
    pace,
  )
  const name = 'credentials issued in bulk, each with an index, registered and on its way to the log'
  const value = perSecond.bulk * batchLines
  return [
    figure(
      {
        bench,
        figure: name,
        value,
        unit: 'credentials/s',
        reference: { what: 'signing the same credentials alone', value: perSecond.signing * batchLines },
      },
      { least: 0.4 },
    ),
    figureWithin({ bench, figure: `${name}, on this machine`, value, unit: 'credentials/s' }, { least: 1000 }),
  ]
}

async function listFigures({ context }: Issuer, { admin }: BenchDatabase): Promise<Figure[]> {
  const bitmap = Buffer.alloc(listEntries / 4)
  for (let set = 0; set < listEntries * revokedShare; ) {
    const at = randomBytes(4).readUInt32LE() % listEntries
    const bit = 1 << ((at % 4) * 2)
    if (((bitmap[at >> 2] ?? 0) & bit) !== 0) continue
    bitmap[at >> 2] = (bitmap[at >> 2] ?? 0) | bit
    set++
  }
  const { rows } = await admin.query<{ id: number }>(
    'INSERT INTO credentials.status_lists (size, bitmap, closed_at) VALUES ($1, $2, now()) RETURNING id',
    [listEntries, bitmap],
  )
  const id = rows[0]?.id ?? 0
  // What is measured begins when the change is there: how long a disk takes to keep it is no matter of the list.
  await admin.query('SET synchronous_commit = off')
  const publish = createStatusListPublisher(context)
  const perSecond = await alternate(
    {
      published: async (times) => {
        let published = 0
        let last = ''
        for (let i = 0; i < times; i++) {
          await admin.query('UPDATE credentials.status_lists SET version = version + 1 WHERE id = $1', [id])
          const { jwt, etag } = await publish(id, 'token')
          if (etag !== last && jwt.length > 0) published++
          last = etag
        }
        return published
      },
      zlib: (times) => {
        let deflated = 0
        for (let i = 0; i < times; i++) deflated += deflateSync(bitmap).length > 0 ? 1 : 0
        return deflated
      },
    },
    { rounds: 15, roundMilliseconds: 300, warmUpMilliseconds: 500 },
  )
  const name = 'a status list of a million entries, 1 % revoked: rebuilt, signed and published after a change'
  const value = 1000 / perSecond.published
  return [
    figure(
      {
        bench,
        figure: name,
        value,
        unit: 'ms',
        reference: { what: 'zlib alone on the same bytes', value: 1000 / perSecond.zlib },
      },
      { most: 3 },
    ),
    figureWithin({ bench, figure: `${name}, on this machine`, value, unit: 'ms' }, { most: 50 }),
  ]
}
