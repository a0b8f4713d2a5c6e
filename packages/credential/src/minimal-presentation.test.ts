import { fromBase64url, fromUtf8 } from '@tillit/codec'
import { toPublicJwk } from '@tillit/keys'
import { expect, test } from 'vitest'
import { counter, didOf, entitlementClaims, issue, meteringPoint, signerOf } from '../test/city.ts'
import { credentialRules } from './credential-types.ts'
import { presentSdJwtVc } from './present-sd-jwt-vc.ts'

/** What a verifier has in hand when the holder discloses nothing that may be left out. */
async function shownMinimally(credential: string): Promise<{ [name: string]: unknown }> {
  const shown = await presentSdJwtVc(credential, { disclose: [] })
  expect(shown.split('~')).toHaveLength(2)
  return JSON.parse(fromUtf8(fromBase64url(shown.split('.')[1] ?? '')))
}

const ofHolder = { subjectDid: didOf('holder'), id: 'cred_AAAAAAAAAAAAAAAAAAAAAA' }

// What is left links two showings of the same credential: its signature, its digests, the holder's key, the status index and
// the times. That is inherent, and the reason for batches: each showing takes a credential with a key and an index of its own.
test('an entitlement says "may act for this metering point" and nothing else', async () => {
  const shown = await shownMinimally(
    await issue('utility', 'MeteringPointEntitlement', entitlementClaims, { ...ofHolder }),
  )
  const { cnf, status, iat, exp, iss, vct, _sd, _sd_alg, ...says } = shown
  expect(says).toEqual({ metering_point: meteringPoint })
})

test('an entitlement hides its number, its holder, the role, the day they moved in and the metering point number', async () => {
  const credential = await issue('utility', 'MeteringPointEntitlement', entitlementClaims, { ...ofHolder })
  const text = JSON.stringify(await shownMinimally(credential))
  for (const hidden of [
    entitlementClaims.gsrn,
    entitlementClaims.role,
    entitlementClaims.from,
    ...Object.values(ofHolder),
  ])
    expect(text).not.toContain(hidden)
})

test('whether an entitlement names its holder cannot be told from the number of digests', async () => {
  const named = await shownMinimally(await issue('utility', 'MeteringPointEntitlement', entitlementClaims, ofHolder))
  const unnamed = await shownMinimally(await issue('utility', 'MeteringPointEntitlement', entitlementClaims))
  expect(named._sd).toHaveLength(credentialRules.MeteringPointEntitlement.disclosable.length)
  expect(unnamed._sd).toHaveLength(credentialRules.MeteringPointEntitlement.disclosable.length)
})

test('two entitlements of one batch share nothing but issuer, type, times and metering point', async () => {
  const [first, second] = await Promise.all(
    ['one', 'two'].map(async (key, idx) => {
      const { publicKey } = await signerOf(key)
      return shownMinimally(
        await issue('utility', 'MeteringPointEntitlement', entitlementClaims, {
          holderJwk: toPublicJwk(publicKey),
          status: { idx, uri: 'https://city.example/credentials/status-lists/1' },
          randomBytes: counter(key),
        }),
      )
    }),
  )
  const same = Object.keys(first ?? {}).filter(
    (name) => JSON.stringify(first?.[name]) === JSON.stringify(second?.[name]),
  )
  expect(same.sort()).toEqual(['_sd_alg', 'exp', 'iat', 'iss', 'metering_point', 'vct'])
})

test('a representation that is bound to one metering point cannot be shown as one for all', async () => {
  const claims = {
    represents: 'cust_AAAAAAAAAAAAAAAAAAAAAA',
    role: 'guardian',
    powers: ['read'],
    metering_point: meteringPoint,
    from: '2026-01-01T00:00:00Z',
  }
  const shown = await shownMinimally(await issue('utility', 'RepresentationCredential', claims))
  expect(shown.metering_point).toBe(meteringPoint)
  expect(JSON.stringify(shown)).not.toContain(claims.represents)
})
