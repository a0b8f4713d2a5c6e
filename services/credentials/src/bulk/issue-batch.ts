import { setImmediate } from 'node:timers/promises'
import { isProblem, Problem } from '@tillit/problem'
import { allocateStatusIndexes } from '../allocate-status-index.ts'
import { type CredentialOrder, requireIssuer, requireKey } from '../issue-credential.ts'
import { type MadeCredential, makeCredential } from '../make-credential.ts'
import type { Context, HostedIssuer } from '../ports.ts'
import type { Writer } from '../store.ts'
import { randomPool } from './random-pool.ts'

/** Some milliseconds of work. */
const signaturesAtOnce = 16

type Issuing = Pick<Context, 'store' | 'issuers' | 'now' | 'randomBytes' | 'publicUrl' | 'statusListSize'>

/**
 * Issues many credentials of one issuer: indexes by one statement, signatures outside of any transaction, then all records,
 * log entries and whatever `along` adds in one. An order that is refused gives its Problem in its place; nothing of the others
 * is lost by that. Throws Problem party-not-active, untrusted-issuer and what `along` throws: then none was issued.
 */
export async function issueBatch(
  context: Issuing,
  { issuerDid, orders }: { issuerDid: string; orders: readonly CredentialOrder[] },
  along: (writer: Writer, made: readonly (MadeCredential | Problem)[]) => Promise<void> = async () => undefined,
): Promise<(MadeCredential | Problem)[]> {
  const issuer = await requireKey(context.store, context, issuerDid)
  const wanted = orders.length
  const places = await allocateStatusIndexes(context.store, { wanted, statusListSize: context.statusListSize })
  const now = context.now()
  const signing = { ...context, randomBytes: randomPool(context.randomBytes) }
  const made: (MadeCredential | Problem)[] = []
  for (const order of orders) {
    const place = places[made.length]
    if (place === undefined) throw new Problem('status-list-full')
    made.push(await makeOrRefuse(signing, order, { issuerDid, issuer, place, now }))
    // A signature never waits for anything, so other requests, and answers of the database, are let in between them.
    if (made.length % signaturesAtOnce === 0) await setImmediate()
  }
  const types = new Set(orders.map(({ type }) => type))
  await context.store.write(async (writer) => {
    for (const type of types) await requireIssuer(writer, type, issuerDid)
    await writer.addCredentials(made.filter(isMade))
    await along(writer, made)
  })
  return made
}

export function isMade(made: MadeCredential | Problem): made is MadeCredential {
  return !(made instanceof Problem)
}

async function makeOrRefuse(
  context: Issuing,
  order: CredentialOrder,
  making: { issuerDid: string; issuer: HostedIssuer; place: { listId: number; idx: number }; now: Date },
): Promise<MadeCredential | Problem> {
  try {
    return await makeCredential(context, order, making)
  } catch (error) {
    if (isProblem(error) && error.status < 500) return error
    throw error
  }
}
