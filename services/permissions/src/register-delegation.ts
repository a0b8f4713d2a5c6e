import { sha256, toHex, utf8 } from '@tillit/codec'
import { violatesUnique } from '@tillit/database'
import { parsePublicJwk } from '@tillit/keys'
import { isAccepted, scopeWithin, type VerifiedChain, verifyDelegationChain } from '@tillit/policy'
import { Problem } from '@tillit/problem'
import { purposeCatalogue } from '@tillit/schemas'
import type { PermissionsContext, PermissionsPorts } from './ports.ts'
import type { Reader, Store } from './store.ts'
import type { DelegationRow, PermissionRow } from './tables.ts'

/** One permission is passed on this often at most. */
const maxDelegations = 256

/**
 * Registers a delegation: the whole chain, whose root is the customer's acceptance. One of the parties of the chain hands it
 * in; every chain that it begins with is registered too, so that each delegator can revoke its own hop. Doing it again
 * changes nothing. Throws Problem invalid-delegation, scope-wider, not-found, party-not-active, invalid-transition, conflict.
 */
export async function registerDelegation(
  { callerDid, chain }: { callerDid: string; chain: string[] },
  { store, ports }: PermissionsContext,
): Promise<DelegationRow> {
  const now = ports.now()
  const permission = await findByRoot(store, chain[0])
  const verified = await verifyChain(store, chain, { permission, ports, now })
  const parties = verified.hops.map(({ claims }) => claims.aud)
  // Whoever is no party of the chain learns nothing about it.
  if (!parties.includes(callerDid)) throw new Problem('not-found')
  for (const did of parties.slice(1)) await refuseInactive(store, did)

  const rows = verified.hops.slice(1).map((_hop, index) => rowOf(verified, chain, { upTo: index + 2, permission, now }))
  try {
    await store.transaction(async (writer) => {
      const locked = await writer.lockPermission(permission.id)
      if (!locked || !isAccepted(locked.state))
        throw new Problem('invalid-transition', { detail: 'The permission is not in force' })
      if ((await writer.listDelegations(permission.id)).length + rows.length > maxDelegations)
        throw new Problem('conflict', { detail: 'The permission was passed on too often' })
      for (const row of rows) await writer.insertDelegation(row)
    })
  } catch (error) {
    if (!violatesUnique(error)) throw error
    throw new Problem('conflict', { detail: 'The delegator used this jti for another delegation', cause: error })
  }
  const last = rows.at(-1)
  if (!last) throw new Problem('invalid-delegation')
  return last
}

/** The root's jti names the permission, and the root must be, byte for byte, what the customer signed. */
async function findByRoot(store: Store, root: string | undefined): Promise<PermissionRow> {
  const evidence = root === undefined ? undefined : await store.findStatement(toHex(sha256(utf8(root))))
  const permission = evidence?.action === 'accept' ? await store.findPermission(evidence.permission_id) : undefined
  if (!permission || permission.root_statement !== root)
    throw new Problem('invalid-delegation', {
      detail: 'The root is not the acceptance of a permission of this city',
      pointer: '/chain/0',
    })
  return permission
}

async function verifyChain(
  store: Store,
  chain: string[],
  { permission, ports, now }: { permission: PermissionRow; ports: PermissionsPorts; now: Date },
): Promise<VerifiedChain> {
  const catalogue = ports.catalogue ?? purposeCatalogue
  const key = permission.wallet_did === null ? undefined : await store.findKey(permission.wallet_did)
  if (!key || permission.scope === null) throw new Problem('key-not-bound')
  const verified = verifyDelegationChain(chain, { rootKey: parsePublicJwk(key.jwk), now, catalogue })
  // The permission may have been narrowed since the root was signed.
  if (!scopeWithin(verified.effectiveScope, permission.scope, catalogue))
    throw new Problem('scope-wider', { detail: 'The delegation is wider than the permission is now' })
  return verified
}

async function refuseInactive(reader: Reader, did: string): Promise<void> {
  const party = await reader.findParty(did)
  if (party?.status !== 'ACTIVE')
    throw new Problem('party-not-active', { detail: 'A delegatee is not accredited and active' })
}

function rowOf(
  verified: VerifiedChain,
  chain: string[],
  { upTo, permission, now }: { upTo: number; permission: PermissionRow; now: Date },
): DelegationRow {
  const hops = verified.hops.slice(0, upTo)
  const last = hops.at(-1)
  if (!last) throw new Problem('invalid-delegation')
  const statements = chain.slice(0, upTo)
  return {
    chain_digest: toHex(sha256(utf8(statements.join('~')))),
    permission_id: permission.id,
    jti: last.claims.jti,
    delegator_did: last.claims.iss,
    delegatee_did: last.claims.aud,
    hop_digests: statements.map((statement) => toHex(sha256(utf8(statement)))),
    chain: statements,
    scope: last.scope,
    expires_at: new Date(Math.min(...hops.map(({ claims }) => claims.exp)) * 1000),
    created_at: now,
  }
}
