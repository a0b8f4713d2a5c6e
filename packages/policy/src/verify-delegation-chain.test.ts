import { toBase64url } from '@tillit/codec'
import { type Signer, signerFromSeed, signJws, thumbprint, toMultikey, toPublicJwk } from '@tillit/keys'
import type { DelegationClaims, Scope } from '@tillit/schemas'
import { beforeAll, expect, test } from 'vitest'
import { baseScope } from './base-scope.fixture.ts'
import { childClaims, delegationType, rootClaims } from './delegation-claims.ts'
import { verifyDelegationChain } from './verify-delegation-chain.ts'

const now = new Date('2026-03-01T12:00:00Z')
const [party, processor, third] = ['did:web:adviser.example', 'did:web:cloud.example', 'did:web:third.example']
const delegable: Scope = {
  ...baseScope,
  delegation: { max_depth: 2, recipients: [party, processor, third].toSorted() },
}
const once = (scope: Scope, depth: number): Scope => ({
  ...scope,
  delegation: { ...scope.delegation, max_depth: depth },
})

let [wallet, partyKey, processorKey, thirdKey]: Signer[] = []
let chain: string[]

beforeAll(async () => {
  ;[wallet, partyKey, processorKey, thirdKey] = await Promise.all(
    [1, 2, 3, 4].map((byte) => signerFromSeed(new Uint8Array(32).fill(byte))),
  )
  const root = await sign(rootOf(), signer(wallet))
  const second = await sign(
    childOf(root, processor, signer(processorKey), once(delegable, 1), 'hop-1'),
    signer(partyKey),
  )
  const last = await sign(childOf(second, third, signer(thirdKey), once(delegable, 0), 'hop-2'), signer(processorKey))
  chain = [root, second, last]
})

test('a chain of three hops gives the last delegatee, its scope and its end', () => {
  const verified = verifyDelegationChain(chain, { rootKey: signer(wallet).publicKey, now })
  expect(verified).toMatchObject({
    delegatee: third,
    delegateeKey: thumbprint(signer(thirdKey).publicKey),
    expires: new Date(baseScope.expires),
    effectiveScope: { delegation: { max_depth: 0 } },
  })
  expect(verified.hops.map(({ claims }) => claims.aud)).toEqual([party, processor, third])
})

test('a truncated chain is the chain of an earlier delegatee', () => {
  expect(verifyDelegationChain(chain.slice(0, 2), options()).delegatee).toBe(processor)
})

test('a chain without its root, reordered, doubled or spliced fails', async () => {
  const [root = '', second = '', last = ''] = chain
  const otherRoot = await sign({ ...rootOf(), jti: 'perm-other' }, signer(wallet))
  for (const [bad, reason] of [
    [[second, last], 'signer'],
    [[root, last], 'signer'],
    [[root, last, second], 'signer'],
    [[root, second, second], 'signer'],
    [[root, root], 'signer'],
    [[otherRoot, second], 'parent'],
    [[], 'empty'],
  ] as const)
    expect(reasonOf([...bad])).toBe(reason)
})

test('a flipped character anywhere fails', () => {
  for (const [index, hop] of chain.entries()) {
    for (let at = 0; at < hop.length; at += 7) {
      const flipped = hop.slice(0, at) + (hop.charAt(at) === 'A' ? 'B' : 'A') + hop.slice(at + 1)
      if (flipped === hop) continue
      expect(() => verifyDelegationChain(chain.with(index, flipped), options())).toThrow(
        expect.objectContaining({ code: 'invalid-delegation' }),
      )
    }
  }
})

test('a root of another wallet is refused', () => {
  expect(() => verifyDelegationChain(chain, { rootKey: signer(partyKey).publicKey, now })).toThrow(
    expect.objectContaining({ code: 'invalid-delegation', pointer: '/chain/0' }),
  )
})

test('a wider child is refused, with the axes', async () => {
  const [root = ''] = chain
  const wider = { ...once(delegable, 1), finest_granularity: 'PT15M', delete_after: 'P60D' }
  const child = await sign(childOf(root, processor, signer(processorKey), wider, 'hop-1'), signer(partyKey))
  expect(() => verifyDelegationChain([root, child], options())).toThrow(
    expect.objectContaining({
      code: 'scope-wider',
      pointer: '/chain/1',
      extra: { reasons: ['finest_granularity', 'delete_after'] },
    }),
  )
})

test.each<[string, string, (claims: DelegationClaims) => object]>([
  ['another issuer', 'issuer', (claims) => ({ ...claims, iss: third })],
  ['another subject', 'subject', (claims) => ({ ...claims, sub: third })],
  ['a recipient that the parent does not name', 'recipient', (claims) => ({ ...claims, aud: 'did:web:x.example' })],
  ['another parent', 'parent', (claims) => ({ ...claims, prv: toBase64url(new Uint8Array(32)) })],
  ['no parent', 'parent', ({ prv, ...claims }) => (prv === undefined ? {} : claims)],
  ['as many hops left as its parent', 'depth', (claims) => ({ ...claims, dep: 2 })],
  ['a later end than its parent', 'time', (claims) => ({ ...claims, exp: claims.exp + 1 })],
  ['an earlier start than its parent', 'time', (claims) => ({ ...claims, nbf: claims.nbf - 1 })],
  ['an end before its start', 'time', (claims) => ({ ...claims, exp: claims.nbf })],
  ['the jti of its parent', 'repeated', (claims) => ({ ...claims, jti: 'perm-1' })],
  ['a claim that is not known', 'claims', (claims) => ({ ...claims, admin: true })],
])('a hop with %s is refused', async (_name, reason, change) => {
  const [root = ''] = chain
  const claims = childOf(root, processor, signer(processorKey), once(delegable, 1), 'hop-1')
  expect(reasonOf([root, await sign(change(claims), signer(partyKey))])).toBe(reason)
})

test('a hop signed by a key that its parent does not confirm is refused', async () => {
  const [root = ''] = chain
  const claims = childOf(root, processor, signer(processorKey), once(delegable, 1), 'hop-1')
  expect(reasonOf([root, await sign(claims, signer(thirdKey))])).toBe('signer')
})

test('a statement of another type or with an unknown header is no hop', async () => {
  const [root = ''] = chain
  const jwk = toPublicJwk(signer(wallet).publicKey)
  expect(reasonOf([await signJws({ typ: 'jwt', jwk }, rootOf(), signer(wallet))])).toBe('signature')
  expect(reasonOf([await signJws({ typ: delegationType, jku: 'x' }, rootOf(), signer(wallet))])).toBe('unknown-header')
  expect(verifyDelegationChain([root], options()).delegatee).toBe(party)
})

test('an expired chain fails when the time is asked for, and verifies without', () => {
  const later = new Date('2027-01-01T00:00:00Z')
  expect(() => verifyDelegationChain(chain, { ...options(), now: later })).toThrow(
    expect.objectContaining({ extra: { reasons: ['expired'] } }),
  )
  expect(verifyDelegationChain(chain, { rootKey: signer(wallet).publicKey }).delegatee).toBe(third)
})

test('more than eight hops are refused unread', () => {
  expect(reasonOf(Array.from({ length: 9 }, () => 'x'))).toBe('too-long')
})

function rootOf(): DelegationClaims {
  return rootClaims({
    customerDid: `did:key:${toMultikey(signer(wallet).publicKey)}`,
    partyDid: party,
    permissionId: 'perm-1',
    partyKey: thumbprint(signer(partyKey).publicKey),
    scope: delegable,
    now,
  })
}

function childOf(parent: string, audience: string, key: Signer, scope: Scope, id: string): DelegationClaims {
  return childClaims({ parent, audience, audienceKey: thumbprint(key.publicKey), id, scope, now })
}

function sign(claims: object, by: Signer): Promise<string> {
  return signJws({ typ: delegationType, jwk: toPublicJwk(by.publicKey) }, claims, by)
}

function options() {
  return { rootKey: signer(wallet).publicKey, now }
}

function reasonOf(bad: string[]): unknown {
  try {
    verifyDelegationChain(bad, options())
  } catch (error) {
    return (error as { extra: { reasons: string[] } }).extra.reasons[0]
  }
  return 'verified'
}

function signer(one: Signer | undefined): Signer {
  if (!one) throw new Error('the signers are made in beforeAll')
  return one
}
