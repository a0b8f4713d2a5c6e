import { canonicalBytes, encodeId, idBytes, sha256, toHex } from '@tillit/codec'
import { resolveDocument } from '@tillit/credential'
import { violatesUnique } from '@tillit/database'
import { verificationKeys } from '@tillit/did'
import { thumbprint } from '@tillit/keys'
import { checkPurposeLimits, parseScope, purposeIncluded, readInstant, scopeDigest } from '@tillit/policy'
import { Problem } from '@tillit/problem'
import { type PermissionRequest, type PurposeCatalogue, purposeCatalogue, type Scope } from '@tillit/schemas'
import type { PermissionsContext, PermissionsPorts } from './ports.ts'
import { recordEvent, recordTransition } from './record-transition.ts'
import type { Store } from './store.ts'
import type { PartyRow, PermissionRow } from './tables.ts'

/** How long a request waits for its customer (domain.md, permission states). */
const timeOutDays = 14

/**
 * An eligible party asks for the data of one metering point. A metering point that does not exist gives the same answer as
 * one that does: the request then waits for nobody. Throws Problem party-not-active, role-required, invalid-scope,
 * unknown-purpose, invalid-granularity, invalid-gsrn, scope-exceeds-purpose, idempotency-conflict.
 */
export async function requestPermission(
  request: { partyDid: string; body: PermissionRequest; idempotencyKey: string | null },
  { store, ports }: PermissionsContext,
): Promise<PermissionRow> {
  const catalogue = ports.catalogue ?? purposeCatalogue
  const { partyDid, idempotencyKey } = request
  const digest = toHex(sha256(canonicalBytes(request.body)))
  const before = idempotencyKey === null ? null : await findEarlier(store, partyDid, idempotencyKey, digest)
  if (before) return before

  const party = await eligibleParty(store, partyDid)
  const now = ports.now()
  const { scope, gsrn } = readScope(request.body, { catalogue, now })
  checkAccreditation(scope, party, catalogue)
  checkPurposeLimits(scope, { now, catalogue, pointer: '/scope' })
  const partyKey = await delegationKey(partyDid, ports)

  const created = newPermission({ ports, party, scope, gsrn, partyKey, now, catalogue })
  try {
    return await store.transaction(async (writer) => {
      await writer.insertPermission(created)
      if (idempotencyKey !== null) {
        await writer.insertIdempotent({
          caller_did: partyDid,
          key: idempotencyKey,
          request_sha256: digest,
          permission_id: created.id,
          created_at: now,
        })
      }
      const origin = { permission: created.id, from: null, to: 'CREATED', event: 'created', actor: partyDid } as const
      const facts = { reason: null, at: now.toISOString(), evidence_sha256: null }
      await recordEvent(writer, { ...origin, ...facts }, ports.randomBytes)
      const step = { actor: 'tillit', at: now }
      const validated = await recordTransition(writer, created, { ...step, event: 'validated' }, ports.randomBytes)
      return recordTransition(writer, validated, { ...step, event: 'sent' }, ports.randomBytes)
    })
  } catch (error) {
    // Two requests with the same key at once: the one that came second answers with the first.
    if (idempotencyKey === null || !violatesUnique(error, 'idempotency_keys_pkey')) throw error
    const first = await findEarlier(store, partyDid, idempotencyKey, digest)
    if (!first) throw error
    return first
  }
}

async function findEarlier(store: Store, partyDid: string, key: string, digest: string): Promise<PermissionRow | null> {
  const used = await store.findIdempotent(partyDid, key)
  if (!used) return null
  if (used.request_sha256 !== digest) throw new Problem('idempotency-conflict', { pointer: 'Idempotency-Key' })
  return (await store.findPermission(used.permission_id)) ?? null
}

async function eligibleParty(store: Store, did: string): Promise<PartyRow> {
  const party = await store.findParty(did)
  if (party?.status !== 'ACTIVE') throw new Problem('party-not-active')
  if (!party.roles.includes('eligible_party'))
    throw new Problem('role-required', { detail: 'Only an eligible party may ask' })
  return party
}

function readScope(
  body: PermissionRequest,
  { catalogue, now }: { catalogue: PurposeCatalogue; now: Date },
): { scope: Scope; gsrn: string } {
  const scope = parseScope(body.scope, { catalogue, pointer: '/scope' })
  const [resource, ...others] = scope.resources
  if (resource === undefined || others.length > 0 || !resource.startsWith('gsrn:'))
    throw new Problem('invalid-scope', { detail: 'A request is for one metering point', pointer: '/scope/resources' })
  if ((readInstant(scope.expires) ?? 0) <= now.getTime())
    throw new Problem('invalid-scope', { detail: 'The permission would be over already', pointer: '/scope/expires' })
  return { scope, gsrn: resource.slice('gsrn:'.length) }
}

function checkAccreditation(scope: Scope, party: PartyRow, catalogue: PurposeCatalogue): void {
  const foreign = scope.purpose.find(
    ({ code }) => !party.purposes.some((allowed) => purposeIncluded(code, allowed, catalogue)),
  )
  if (foreign)
    throw new Problem('scope-exceeds-purpose', {
      detail: `The party is not accredited for the purpose ${foreign.code}`,
      pointer: '/scope/purpose',
    })
}

/** Thumbprint of the key with which the party may delegate on. */
async function delegationKey(partyDid: string, ports: PermissionsPorts): Promise<string> {
  const document = await resolveDocument(partyDid, ports.resolveDid)
  const [first] = [
    ...verificationKeys(document, 'capabilityDelegation'),
    ...verificationKeys(document, 'authentication'),
  ]
  if (!first) throw new Problem('invalid-key', { detail: 'The DID of the party has no key that may delegate' })
  return thumbprint(first.key)
}

function newPermission(from: {
  ports: PermissionsPorts
  party: PartyRow
  scope: Scope
  gsrn: string
  partyKey: string
  now: Date
  catalogue: PurposeCatalogue
}): PermissionRow {
  const { ports, party, scope, gsrn, partyKey, now, catalogue } = from
  return {
    id: encodeId('perm', ports.randomBytes(idBytes)),
    state: 'CREATED',
    version: 1,
    party_did: party.did,
    party_name: party.name,
    party_key: partyKey,
    gsrn,
    requested_scope: scope,
    requested_scope_digest: scopeDigest(scope, catalogue),
    metering_point_id: null,
    customer_id: null,
    scope: null,
    root_statement: null,
    wallet_did: null,
    starts_at: null,
    expires_at: null,
    times_out_at: new Date(now.getTime() + timeOutDays * 86_400_000),
    created_at: now,
    changed_at: now,
  }
}
