import { signJws, toPublicJwk } from '@tillit/keys'
import { isProblem } from '@tillit/problem'
import fc from 'fast-check'
import { beforeAll, expect, test } from 'vitest'
import { preferredType } from '../src/openid4vci/preferred-type.ts'
import { verifyJwtProof } from '../src/openid4vci/verify-jwt-proof.ts'
import { type Identity, newIdentity, publicUrl } from './start-city.ts'
import { testIssuance } from './test-issuance.ts'

const now = new Date('2026-06-01T12:00:00Z')
const caller = { kind: 'customer', id: 'cust_1', jkt: '', clientId: 'wallet' } as const

let key: Identity
let proof: string
let verify: (text: string) => ReturnType<typeof verifyJwtProof>
beforeAll(async () => {
  key = await newIdentity()
  const openid4vci = await testIssuance({})
  const resolveDid = async () => {
    throw new Error('a proof with a key in it needs no DID')
  }
  verify = (text) => verifyJwtProof(text, caller, { resolveDid, publicUrl, now: () => now, openid4vci })
  proof = await signJws(
    { typ: 'openid4vci-proof+jwt', jwk: toPublicJwk(key.signer.publicKey) },
    { aud: publicUrl, iat: now.getTime() / 1000, nonce: 'n', iss: 'wallet' },
    key.signer,
  )
})

test('a proof proves the key in it', async () => {
  expect(await verify(proof)).toEqual({ keys: [key.signer.publicKey], nonces: ['n'] })
})

test('no bit of a proof can be another', async () => {
  const parts = proof.split('.').map((part) => Buffer.from(part, 'base64url'))
  await fc.assert(
    fc.asyncProperty(fc.nat(2), fc.nat(), fc.nat(7), async (index, place, bit) => {
      const changed = parts.map((part) => Buffer.from(part))
      const part = changed[index] ?? Buffer.alloc(1)
      const at = place % part.length
      part[at] = (part[at] ?? 0) ^ (1 << bit)
      const outcome = await verify(changed.map((bytes) => bytes.toString('base64url')).join('.')).catch(
        (error) => error,
      )
      expect(isProblem(outcome) && outcome.status < 500, changed.join('.')).toBe(true)
    }),
    { numRuns: 500 },
  )
})

test('whatever text is shown as a proof, it is refused as a bad request and nothing else', async () => {
  const part = fc.oneof(
    fc.string(),
    fc.json().map((json) => Buffer.from(json).toString('base64url')),
  )
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        fc.string(),
        fc.tuple(part, part, part).map((all) => all.join('.')),
      ),
      async (text) => {
        const outcome = await verify(text).catch((error) => error)
        expect(isProblem(outcome) && outcome.status < 500).toBe(true)
      },
    ),
    { numRuns: 500 },
  )
})

test('whatever a client says that it accepts, it gets one of the types there are', () => {
  const types = ['application/json', 'application/jwt'] as const
  fc.assert(fc.property(fc.option(fc.string()), (accept) => types.includes(preferredType(accept ?? undefined, types))))
})
