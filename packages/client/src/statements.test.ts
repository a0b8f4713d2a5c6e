import { didKeyFor } from '@tillit/did'
import { parseJws, type Signer, signerFromSeed, thumbprint, verifyJws } from '@tillit/keys'
import { scopeDigest, verifyDelegationChain } from '@tillit/policy'
import type { Permission, Scope } from '@tillit/schemas'
import { beforeAll, expect, test } from 'vitest'
import { baseScope } from '../../policy/src/base-scope.fixture.ts'
import { delegate } from './delegate.ts'
import { createAcceptance, createKeyBinding, createStatement } from './statements.ts'

const now = new Date('2026-03-01T12:00:00Z')
const authority = 'did:web:city.example'
const [party, processor] = ['did:web:adviser.example', 'did:web:cloud.example']
const asked: Scope = {
  ...baseScope,
  period: { from: '2025-01-01T00:00:00Z', to: '2026-06-01T00:00:00Z' },
  expires: '2026-06-01T00:00:00Z',
  delegation: { max_depth: 1, recipients: [processor] },
}
const accepted: Scope = { ...asked, finest_granularity: 'P1D' }
const last: Scope = { ...accepted, delegation: { max_depth: 0, recipients: [] } }

let wallet: Signer
let partyKey: Signer
let processorKey: Signer
let permission: Permission

beforeAll(async () => {
  const signers = await Promise.all([1, 2, 3].map((byte) => signerFromSeed(new Uint8Array(32).fill(byte))))
  ;[wallet, partyKey, processorKey] = signers as [Signer, Signer, Signer]
  permission = {
    ...{ id: `perm_${'A'.repeat(22)}`, state: 'SENT_TO_PERMISSION_ADMINISTRATOR', status: '', version: 1 },
    party: { did: party, name: 'Adviser' },
    party_key: thumbprint(partyKey.publicKey),
    ...{ metering_point: null, requested_scope: asked, requested_scope_digest: scopeDigest(asked) },
    ...{ scope: null, statement: null, created_at: now.toISOString(), changed_at: now.toISOString() },
  }
})
const accept = (scope: Scope) =>
  createAcceptance(permission, scope, { signer: wallet, now, notice: { version: '1', locale: 'en' } })
const toProcessor = (chain: string[], scope: Scope, signer = partyKey) =>
  delegate(chain, {
    to: { did: processor, keyThumbprint: thumbprint(processorKey.publicKey) },
    ...{ scope, signer, now },
  })

test('an acceptance is the root of a chain, over exactly the scope that was accepted', async () => {
  const chain = verifyDelegationChain([await accept(accepted)], { rootKey: wallet.publicKey, now })
  expect(chain).toMatchObject({ delegatee: party, delegateeKey: permission.party_key })
  expect(chain.effectiveScope).toEqual(accepted)
  expect(chain.hops[0]?.claims).toMatchObject({
    ...{ iss: didKeyFor(wallet.publicKey), jti: permission.id },
    notice: { version: '1', locale: 'en', scope_digest: scopeDigest(accepted) },
  })
})

test('a delegation by the party that was named verifies offline', async () => {
  const chain = await toProcessor([await accept(accepted)], last)
  expect(verifyDelegationChain(chain, { rootKey: wallet.publicKey, now })).toMatchObject({
    ...{ delegatee: processor, delegateeKey: thumbprint(processorKey.publicKey), effectiveScope: last },
  })
})

test('a delegation by anyone else, or of more than was given, is refused', async () => {
  const root = await accept(accepted)
  const codeOf = (chain: string[]) => {
    try {
      verifyDelegationChain(chain, { rootKey: wallet.publicKey, now })
      return 'verified'
    } catch (error) {
      return (error as { code: string }).code
    }
  }
  expect(codeOf(await toProcessor([root], last, processorKey))).toBe('invalid-delegation')
  expect(codeOf(await toProcessor([root], { ...last, finest_granularity: 'PT1H' }))).toBe('scope-wider')
  await expect(toProcessor([], last)).rejects.toThrow(RangeError)
})

test('a scope that the city would not understand is not signed', async () => {
  await expect(accept({ ...accepted, legal_basis: 'because' })).rejects.toMatchObject({ code: 'invalid-scope' })
})

test.each(['reject', 'revoke'] as const)('a statement to %s names the permission and the city', async (action) => {
  const options = { signer: wallet, now, authority }
  const [first, second] = await Promise.all([1, 2].map(() => createStatement(action, permission.id, options)))
  const { payload, header } = verifyJws(first ?? '', wallet.publicKey, { typ: 'tillit-statement+jwt' })
  expect(payload).toMatchObject({
    ...{ iss: didKeyFor(wallet.publicKey), aud: authority, permission: permission.id, action },
    iat: now.getTime() / 1000,
  })
  expect(header.jwk).toMatchObject({ kty: 'OKP', crv: 'Ed25519' })
  expect(header.jwk).not.toHaveProperty('d')
  expect(payload.jti).not.toBe(parseJws(second ?? '').payload.jti)
})

test('a key binding is signed by the key that it is about', async () => {
  const binding = await createKeyBinding('cust_1', { signer: wallet, now, authority })
  expect(verifyJws(binding, wallet.publicKey, { typ: 'tillit-key-binding+jwt' }).payload).toMatchObject({
    ...{ iss: didKeyFor(wallet.publicKey), sub: 'cust_1', aud: authority },
  })
})
