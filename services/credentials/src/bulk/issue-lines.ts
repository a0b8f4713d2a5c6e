import { canonicalJson, sha256, toHex, utf8 } from '@tillit/codec'
import { isProblem, Problem } from '@tillit/problem'
import type { CredentialBatch, CredentialBatchResult } from '@tillit/schemas'
import { type CredentialOrder, requireIssuer, requireKey } from '../issue-credential.ts'
import { makeCredential } from '../make-credential.ts'
import type { Context, HostedIssuer } from '../ports.ts'
import { statusEvent } from '../status-event.ts'
import { holderKey } from '../trust-registry.ts'
import { completeClaims } from './complete-claims.ts'
import { isMade, issueBatch } from './issue-batch.ts'

type Line = CredentialBatch['lines'][number]
type Known = Awaited<ReturnType<Context['store']['bulkLines']>>[number]

/**
 * An organisation issues the lines of a run. Each is issued once however often it is sent: when the answer was lost, the same
 * credential (id, status index, times) is signed once more, as its text is not kept here. What cannot be issued is refused line by
 * line. Throws Problem role-required (another organisation issues that), party-not-active, untrusted-issuer, or conflict
 * (lines that are being issued by another request).
 */
export async function issueLines(
  context: Context,
  issuerDid: string,
  { run, type, lines }: CredentialBatch,
): Promise<CredentialBatchResult> {
  const issuer = await requireKey(context.store, context, issuerDid)
  const numbers = lines.map(({ line }) => line)
  if (new Set(numbers).size !== numbers.length) {
    throw new Problem('invalid-request', { detail: 'A line stands twice in the batch', pointer: '/lines' })
  }
  const issued: CredentialBatchResult['issued'] = []
  const refused: CredentialBatchResult['refused'] = []
  const refuse = (line: number, { code, message }: Problem) => refused.push({ line, code, detail: message })

  const known = new Map((await context.store.bulkLines(issuerDid, run, numbers)).map((row) => [row.line, row]))
  const ordered: { line: Line; order: CredentialOrder; digest: Uint8Array }[] = []
  const complete = await completeClaims(context, issuerDid, { type, lines })
  for (const line of lines) {
    try {
      const order = await orderOf(context, line, { type, claims: complete(line.claims) })
      const digest = digestOf(type, line)
      const before = known.get(line.line)
      if (before === undefined) ordered.push({ line, order, digest })
      else issued.push(await issueAgain(context, { line, order, digest, before, issuer, issuerDid }))
    } catch (error) {
      if (!isProblem(error) || !isOfLine(error)) throw error
      refuse(line.line, error)
    }
  }
  if (ordered.length > 0) {
    const orders = ordered.map(({ order }) => order)
    const results = await issueBatch(context, { issuerDid, orders }, async (writer, made) => {
      const rows = made.flatMap((one, i) => {
        const from = ordered[i]
        if (from === undefined || !isMade(one)) return []
        return [{ issuer_did: issuerDid, run, line: from.line.line, sha256: from.digest, credential_id: one.record.id }]
      })
      if (!(await writer.addBulkLines(rows))) {
        throw new Problem('conflict', { detail: 'Lines of this batch are being issued by another request' })
      }
    })
    results.forEach((made, i) => {
      const line = ordered[i]?.line.line ?? 0
      if (isMade(made)) issued.push({ line, id: made.record.id, credential: made.credential })
      else refuse(line, made)
    })
  }
  return { issued, refused }
}

/** Not ours: what is asked for is wrong, or the holder's DID cannot be resolved, whoever is to blame for that. */
function isOfLine({ status, code }: Problem): boolean {
  return status < 500 || code.startsWith('did-')
}

async function orderOf(
  context: Context,
  { holder, expires }: Line,
  { type, claims }: { type: CredentialBatch['type']; claims: Record<string, unknown> },
): Promise<CredentialOrder> {
  const order = { type, holder: { did: holder, jwk: await holderKey(context, holder) }, claims }
  if (expires === undefined) return order
  const end = new Date(expires)
  if (end > context.now()) return { ...order, expires: end }
  throw new Problem('invalid-credential', { detail: 'The credential would be over already', pointer: '/expires' })
}

/** What was asked for, so that another line under the same number is found out. */
function digestOf(type: string, { holder, claims, expires }: Line): Uint8Array {
  return sha256(utf8(canonicalJson({ type, holder, claims, expires: expires ?? null })))
}

interface Again {
  line: Line
  order: CredentialOrder
  digest: Uint8Array
  before: Known
  issuer: HostedIssuer
  issuerDid: string
}

/** The answer was lost: the same credential once more, which the log is told too. */
async function issueAgain(
  context: Context,
  { line, order, digest, before, issuer, issuerDid }: Again,
): Promise<CredentialBatchResult['issued'][number]> {
  if (toHex(before.sha256) !== toHex(digest)) throw new Problem('idempotency-conflict')
  if (before.status !== 'valid')
    throw new Problem('credential-revoked', { detail: `The credential is ${before.status}` })
  const again = { ...order, ...(before.expires_at === null ? {} : { expires: before.expires_at }) }
  const made = await makeCredential(context, again, {
    issuerDid,
    issuer,
    place: { listId: before.status_list_id, idx: before.status_index },
    now: before.issued_at,
    id: before.id,
  })
  const { sha256: digestOfText } = made.record
  const what = { event: 'issued', actor: issuerDid, at: context.now(), sha256: toHex(digestOfText) } as const
  await context.store.write(async (writer) => {
    await requireIssuer(writer, order.type, issuerDid)
    await writer.setDigest(before.id, digestOfText)
    await writer.addStatusEvents([statusEvent(context, made.record, what)])
  })
  return { line: line.line, id: before.id, credential: made.credential }
}
