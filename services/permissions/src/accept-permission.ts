import { violatesUnique } from '@tillit/database'
import {
  delegationType,
  explainWithin,
  readInstant,
  scopeDigest,
  type VerifiedChain,
  verifyDelegationChain,
} from '@tillit/policy'
import { Problem } from '@tillit/problem'
import { type PurposeCatalogue, purposeCatalogue, type Scope } from '@tillit/schemas'
import type { PermissionsContext } from './ports.ts'
import { recordTransition } from './record-transition.ts'
import type { PermissionRow } from './tables.ts'
import { type CustomerKey, statementSha256, verifyCustomerStatement } from './verify-statement.ts'

export interface Answer {
  permissionId: string
  customerId: string
  statement: string
}

/**
 * The customer accepts what was asked, or less, with a signed statement that is the root of every later delegation. Handing
 * in the very same statement again gives the same answer. Throws Problem not-found, key-not-bound, invalid-signature,
 * statement-expired, statement-replayed, invalid-delegation, scope-wider, invalid-scope, invalid-request, invalid-transition.
 */
export async function acceptPermission(
  { permissionId, customerId, statement }: Answer,
  { store, ports }: PermissionsContext,
): Promise<PermissionRow> {
  const catalogue = ports.catalogue ?? purposeCatalogue
  const evidence = statementSha256(statement)
  const earlier = await store.findStatement(evidence)
  if (earlier?.permission_id === permissionId && earlier.customer_id === customerId) {
    const accepted = await store.findPermission(permissionId)
    if (accepted) return accepted
  }
  const now = ports.now()
  const meteringPointId = await store.findAnswerable(permissionId, customerId, now)
  const asked = await store.findPermission(permissionId)
  if (!asked || (meteringPointId === null && asked.customer_id !== customerId)) throw new Problem('not-found')

  const { signer } = await verifyCustomerStatement(statement, customerId, { reader: store, typ: delegationType, now })
  const chain = verifyDelegationChain([statement], { rootKey: signer.key, now, catalogue })
  checkRoot(chain, asked, catalogue)
  checkNarrowed(chain.effectiveScope, asked.requested_scope, catalogue)
  if (meteringPointId === null) {
    // Answered already: by this very statement, when it came twice at once, or by another one.
    if ((await store.findStatement(evidence))?.permission_id === permissionId) return asked
    throw new Problem('invalid-transition', { detail: `The permission is ${asked.state} already` })
  }

  try {
    return await store.transaction(async (writer) => {
      const locked = await writer.lockPermission(permissionId)
      if (!locked) throw new Problem('not-found')
      // The same statement came twice at once, and the other one was first.
      if (await writer.findStatement(evidence)) return locked
      if (now >= locked.times_out_at) throw new Problem('invalid-transition', { detail: 'The request has timed out' })
      const accepted = await recordTransition(
        writer,
        locked,
        {
          event: 'accepted',
          actor: 'customer',
          at: now,
          evidenceSha256: evidence,
          change: acceptance(chain, { statement, signer, meteringPointId, customerId }),
        },
        ports.randomBytes,
      )
      await writer.insertStatement({
        sha256: evidence,
        permission_id: permissionId,
        action: 'accept',
        customer_id: customerId,
        signer_did: signer.did,
        jti: permissionId,
        statement,
        receipt: null,
        received_at: now,
      })
      const event = accepted.starts_at !== null && accepted.starts_at > now ? 'waits-for-start' : 'started'
      return recordTransition(writer, accepted, { event, actor: 'tillit', at: now }, ports.randomBytes)
    })
  } catch (error) {
    if (!violatesUnique(error)) throw error
    throw new Problem('statement-replayed', { cause: error })
  }
}

function checkRoot({ hops, effectiveScope }: VerifiedChain, asked: PermissionRow, catalogue: PurposeCatalogue): void {
  const claims = hops[0]?.claims
  if (claims?.jti !== asked.id) throw wrong('/jti', 'The statement accepts another permission')
  if (claims.aud !== asked.party_did) throw wrong('/aud', 'The statement accepts another party')
  if (claims.cnf.jkt !== asked.party_key) throw wrong('/cnf/jkt', 'The statement confirms another key than the party’s')
  if (claims.notice?.scope_digest !== scopeDigest(effectiveScope, catalogue))
    throw wrong('/notice/scope_digest', 'What was shown is not what was signed')
}

function checkNarrowed(accepted: Scope, requested: Scope, catalogue: PurposeCatalogue): void {
  const excess = explainWithin(accepted, requested, catalogue)
  if (excess.length > 0) {
    throw new Problem('scope-wider', {
      detail: excess.map(({ words }) => words).join('. '),
      pointer: '/statement',
      extra: { reasons: excess.map(({ axis }) => axis) },
    })
  }
  const dropped = requested.purpose.find(
    ({ code, required }) => required && !accepted.purpose.some((choice) => choice.code === code),
  )
  if (dropped)
    throw new Problem('invalid-scope', {
      detail: `The purpose ${dropped.code} is required: the request can be rejected, but not accepted without it`,
      pointer: '/statement',
    })
}

function acceptance(
  chain: VerifiedChain,
  by: { statement: string; signer: CustomerKey; meteringPointId: string; customerId: string },
) {
  return {
    scope: JSON.stringify(chain.effectiveScope),
    root_statement: by.statement,
    wallet_did: by.signer.did,
    metering_point_id: by.meteringPointId,
    customer_id: by.customerId,
    starts_at: new Date(readInstant(chain.effectiveScope.period.from) ?? Number.NaN),
    expires_at: chain.expires,
  }
}

function wrong(claim: string, detail: string): Problem {
  return new Problem('invalid-request', { detail: `${detail} (${claim})`, pointer: '/statement' })
}
