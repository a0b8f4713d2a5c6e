import { randomBytes } from 'node:crypto'
import { connect } from '@tillit/database'
import { didKeyFor } from '@tillit/did'
import { generatePrivateJwk, signerFromJwk, toMultikey, toPublicJwk } from '@tillit/keys'
import { isMade, issueBatch } from '../../services/credentials/src/bulk/issue-batch.ts'
import { changeStatus } from '../../services/credentials/src/issue-credential.ts'
import { createStore } from '../../services/credentials/src/store.ts'
import type { CredentialsTables } from '../../services/credentials/src/tables.ts'

/** What the test asks of a process of its own, and what that answers. */
export type Task =
  | { issue: number; issuerDid: string; statusListSize: number }
  | { revoke: readonly string[]; issuerDid: string }
export type Done = { ids: string[] }

const batch = 250
const atOnce = 12

const url = process.argv[2] ?? ''
const db = connect<CredentialsTables>({ url, schema: 'credentials', maxConnections: atOnce, onError: console.error })
const store = createStore(db)
const signer = await signerFromJwk(await generatePrivateJwk())
const holderDid = didKeyFor(signer.publicKey)

/** One city in its own process: only the database is shared. */
const context = {
  store,
  now: () => new Date(),
  randomBytes: (length: number) => new Uint8Array(randomBytes(length)),
  issuers: async (did: string) => ({ signer, keyId: `${did}#${toMultikey(signer.publicKey)}` }),
  publicUrl: 'https://city.example',
}

async function issue(count: number, issuerDid: string, statusListSize: number): Promise<string[]> {
  const order = {
    type: 'MeteringPointEntitlement' as const,
    holder: { did: holderDid, jwk: toPublicJwk(signer.publicKey) },
    claims: {
      gsrn: '707057500000000001',
      metering_point: 'mp_AAAAAAAAAAAAAAAAAAAAAA',
      role: 'holder',
      from: '2025-01-01T00:00:00Z',
    },
  }
  const ids: string[] = []
  while (ids.length < count) {
    const orders = Array.from({ length: Math.min(batch, count - ids.length) }, () => order)
    const made = await issueBatch({ ...context, statusListSize }, { issuerDid, orders })
    ids.push(...made.filter(isMade).map(({ record }) => record.id))
  }
  return ids
}

async function revoke(ids: readonly string[], actor: string): Promise<void> {
  const waiting = [...ids]
  const inTurn = async () => {
    for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
      const wanted = id
      await store.write(async (writer) => {
        const credential = await writer.credential(wanted)
        if (credential === undefined) throw new Error('there is no such credential')
        await changeStatus(writer, context, credential, { status: 'revoked', actor })
      })
    }
  }
  await Promise.all(Array.from({ length: atOnce }, inTurn))
}

process.on('message', async (task: Task) => {
  const { issuerDid } = task
  if ('issue' in task) process.send?.({ ids: await issue(task.issue, issuerDid, task.statusListSize) } satisfies Done)
  else {
    await revoke(task.revoke, issuerDid)
    process.send?.({ ids: [...task.revoke] } satisfies Done)
  }
})
process.on('disconnect', () => process.exit())
