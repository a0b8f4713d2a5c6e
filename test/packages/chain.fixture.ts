import { createAcceptance, delegate } from '@tillit/client'
import { signerFromSeed, thumbprint, toPublicJwk } from '@tillit/keys'
import { scopeDigest } from '@tillit/policy'
import type { Permission, Scope } from '@tillit/schemas'
import { baseScope } from '../../packages/policy/src/base-scope.fixture.ts'

const now = new Date('2026-03-01T12:00:00Z')
const [party, processor] = ['did:web:adviser.example', 'did:web:cloud.example']
const scope: Scope = {
  ...baseScope,
  period: { from: '2025-01-01T00:00:00Z', to: '2026-06-01T00:00:00Z' },
  finest_granularity: 'P1D',
  expires: '2026-06-01T00:00:00Z',
  delegation: { max_depth: 1, recipients: [processor] },
}

/** A customer's acceptance and one delegation on it, with the key that whoever verifies them must know. */
export async function makeChain(): Promise<{ chain: string[]; rootJwk: object; now: string }> {
  const wallet = await signerFromSeed(new Uint8Array(32).fill(1))
  const partyKey = await signerFromSeed(new Uint8Array(32).fill(2))
  const processorKey = await signerFromSeed(new Uint8Array(32).fill(3))
  const permission: Permission = {
    ...{ id: `perm_${'A'.repeat(22)}`, state: 'SENT_TO_PERMISSION_ADMINISTRATOR', status: '', version: 1 },
    party: { did: party, name: 'Adviser' },
    party_key: thumbprint(partyKey.publicKey),
    ...{ metering_point: null, requested_scope: scope, requested_scope_digest: scopeDigest(scope) },
    ...{ scope: null, statement: null, created_at: now.toISOString(), changed_at: now.toISOString() },
  }
  const notice = { version: '1', locale: 'en' }
  const rootHop = await createAcceptance(permission, scope, { signer: wallet, now, notice })
  const chain = await delegate([rootHop], {
    to: { did: processor, keyThumbprint: thumbprint(processorKey.publicKey) },
    scope: { ...scope, delegation: { max_depth: 0, recipients: [] } },
    ...{ signer: partyKey, now },
  })
  return { chain, rootJwk: toPublicJwk(wallet.publicKey), now: now.toISOString() }
}
