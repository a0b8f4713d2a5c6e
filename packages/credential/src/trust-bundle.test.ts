import { gunzipSync, gzipSync } from 'node:zlib'
import { sha256, utf8 } from '@tillit/codec'
import { createDid, type DidState, formatDidLog, nextDidState, rotateDid } from '@tillit/did'
import { type Signer, signerFromSeed, thumbprint, toMultikey, toPublicJwk } from '@tillit/keys'
import type { CredentialType } from '@tillit/schemas'
import { beforeAll, describe, expect, test } from 'vitest'
import { counter, deflate, entitlementClaims, inflate, organisationClaims } from '../test/city.ts'
import { encodeBitstring, type StatusPurpose, statusPurposes } from './bitstring-status-list.ts'
import { signBitstringStatusList } from './bitstring-status-list-credential.ts'
import { issueSdJwtVc } from './issue-sd-jwt-vc.ts'
import { signCompromisedKeys, signKeyCompromise, verifyKeyCompromise } from './key-compromise.ts'
import { encodeStatusList } from './status-list.ts'
import { signStatusList } from './status-list-token.ts'
import { offlineOptions, type TrustAnchors, type TrustBundle, verifyOffline } from './trust-bundle.ts'
import { issueVcJwt } from './vc-jwt.ts'

/** Three organisations with did:webvh logs of their own; the utility rotates its key in the middle of the year. */
const list = 'https://city.example/credentials/status-lists/1'
const at = (day: string) => new Date(`2026-${day}T12:00:00Z`)
const made = at('01-01')
const issued = at('03-01')
const rotated = at('06-01')
const now = at('11-22')

interface Party {
  did: string
  log: string
  keyId: (signer: Signer) => string
  signer: Signer
  state: DidState
}

const seeded = (name: string) => signerFromSeed(sha256(utf8(`webvh ${name}`)))

async function party(name: string): Promise<Party> {
  const signer = await seeded(name)
  const { did, entry, state } = await createDid({ host: 'city.example', path: ['dids', '{SCID}'], signer, now: made })
  return { did, log: formatDidLog([entry]), keyId: keyIdOf(did), signer, state }
}

const keyIdOf = (did: string) => (signer: Signer) => `${did}#${toMultikey(signer.publicKey)}`

let registrar: Party
let authority: Party
let utility: Party
let newKey: Signer
let holder: Signer
let accreditation: string

beforeAll(async () => {
  ;[registrar, authority, utility] = await Promise.all([party('registrar'), party('authority'), party('utility')])
  newKey = await seeded('utility, second key')
  holder = await seeded('holder')
  const entry = await rotateDid(utility.state, {
    signer: utility.signer,
    updateKeys: [newKey.publicKey],
    keys: [newKey.publicKey],
    now: rotated,
  })
  nextDidState({ state: utility.state, entry, now })
  utility.log += formatDidLog([entry])
  accreditation = await credentialOf(registrar, 'OrganisationCredential', organisationClaims, {
    idx: 1,
    subjectDid: utility.did,
  })
})

function credentialOf(
  issuer: Party,
  type: CredentialType,
  claims: Record<string, unknown>,
  { idx = 7, signer = issuer.signer, issuedAt = issued, subjectDid = '' } = {},
): Promise<string> {
  return issueSdJwtVc({
    type,
    issuerDid: issuer.did,
    keyId: issuer.keyId(signer),
    signer,
    ...(subjectDid === '' ? {} : { subjectDid }),
    holderJwk: toPublicJwk(holder.publicKey),
    claims,
    status: { idx, uri: list },
    issuedAt,
    expires: at('12-31'),
    randomBytes: counter(),
  })
}

const entitlement = (options = {}) => credentialOf(utility, 'MeteringPointEntitlement', entitlementClaims, options)

interface Changes extends Partial<TrustBundle> {
  statuses?: Uint8Array
  compromised?: { did: string; jkt: string }[]
  issuedAt?: Date
}

async function bundle({
  statuses = new Uint8Array(64),
  compromised = [],
  issuedAt = now,
  ...changes
}: Changes = {}): Promise<TrustBundle> {
  const about = {
    issuerDid: authority.did,
    keyId: authority.keyId(authority.signer),
    signer: authority.signer,
    issuedAt,
    expires: new Date(issuedAt.getTime() + 86_400_000),
    ttlSeconds: 1,
  }
  const lists = encodeStatusList({ bits: 2, bytes: statuses }, deflate)
  return {
    accreditations: { [utility.did]: accreditation },
    statusLists: { [list]: await signStatusList({ ...about, uri: list, list: lists }) },
    didLogs: Object.fromEntries([registrar, authority, utility].map(({ did, log }) => [did, { log, witness: null }])),
    compromisedKeys: await signCompromisedKeys({ ...about, keys: compromised }),
    ...changes,
  }
}

function anchors(changes: Partial<TrustAnchors> = {}): TrustAnchors {
  return {
    rootDid: registrar.did,
    authorityDids: [authority.did],
    now,
    maxStatusAgeSeconds: 3600,
    inflate,
    gunzip: (bytes, maxOutputLength) => new Uint8Array(gunzipSync(bytes, { maxOutputLength })),
    ...changes,
  }
}

describe('offline', () => {
  test('a credential verifies up to the registrar, as of the time of the statuses', async () => {
    const credential = await entitlement()
    const verified = await verifyOffline(credential, await bundle(), anchors())
    expect(verified).toMatchObject({ issuer: utility.did, status: 'valid', statusAsOf: now })
  })

  test('a W3C credential verifies by its bitstrings, of which each has to say that it is valid', async () => {
    const bitstrings = statusPurposes.map((purpose) => ({ purpose, idx: 7, uri: `${list}/${purpose}` }))
    const credential = await issueVcJwt({
      type: 'MeteringPointEntitlement',
      issuerDid: utility.did,
      keyId: utility.keyId(utility.signer),
      signer: utility.signer,
      holderJwk: toPublicJwk(holder.publicKey),
      claims: entitlementClaims,
      status: bitstrings,
      issuedAt: issued,
      expires: at('12-31'),
    })
    const lists = async (set: StatusPurpose | null) =>
      Object.fromEntries(
        await Promise.all(
          bitstrings.map(async ({ purpose, uri }) => {
            const bitstring = new Uint8Array(16_384)
            if (purpose === set) bitstring[0] = 1
            const signed = await signBitstringStatusList({
              ...{ uri, purpose, issuerDid: authority.did, signer: authority.signer },
              keyId: authority.keyId(authority.signer),
              encodedList: encodeBitstring(bitstring, (bytes) => new Uint8Array(gzipSync(bytes))),
              issuedAt: now,
              expires: new Date(now.getTime() + 86_400_000),
              ttlSeconds: 1,
            })
            return [uri, signed] as const
          }),
        ),
      )
    const whole = await bundle()
    const verify = async (set: StatusPurpose | null) =>
      verifyOffline(credential, { ...whole, statusLists: { ...whole.statusLists, ...(await lists(set)) } }, anchors())
    await expect(verify(null)).resolves.toMatchObject({ issuer: utility.did, status: 'valid', statusAsOf: now })
    for (const purpose of statusPurposes) {
      await expect(verify(purpose)).rejects.toMatchObject({ code: 'credential-revoked' })
    }
  })

  test('the oldest statement that a verdict rests on tells as of when it holds', async () => {
    const early = new Date(now.getTime() - 600_000)
    const { statusLists } = await bundle({ issuedAt: early })
    const { statusAsOf } = await verifyOffline(await entitlement(), await bundle({ statusLists }), anchors())
    expect(statusAsOf).toEqual(early)
  })

  test('statuses and compromised keys that are older than the bound of the verifier are not believed', async () => {
    const hourAgo = new Date(now.getTime() - 3_601_000)
    const old = await bundle({ issuedAt: hourAgo })
    const fresh = await bundle()
    for (const stale of [
      { ...fresh, statusLists: old.statusLists },
      { ...fresh, compromisedKeys: old.compromisedKeys },
    ]) {
      const verifying = verifyOffline(await entitlement(), stale, anchors())
      await expect(verifying).rejects.toMatchObject({ code: 'status-unknown' })
      const patient = verifyOffline(await entitlement(), stale, anchors({ maxStatusAgeSeconds: 3602 }))
      await expect(patient).resolves.toMatchObject({ statusAsOf: hourAgo })
    }
  })

  test.each([
    ['an accreditation', { accreditations: {} }, 'untrusted-issuer'],
    ['a status list', { statusLists: {} }, 'status-unknown'],
  ])('a bundle that lacks %s proves nothing', async (_what, changes, code) => {
    const verifying = verifyOffline(await entitlement(), await bundle(changes), anchors())
    await expect(verifying).rejects.toMatchObject({ code })
  })

  test('a bundle that lacks the log of a DID proves nothing', async () => {
    const whole = await bundle()
    for (const { did } of [registrar, authority, utility]) {
      const didLogs = Object.fromEntries(Object.entries(whole.didLogs).filter(([name]) => name !== did))
      await expect(verifyOffline(await entitlement(), { ...whole, didLogs }, anchors())).rejects.toThrow()
    }
  })

  test('whoever hands over a bundle can not vouch for it: lists and accreditations of others are refused', async () => {
    const stranger = await party('stranger')
    const forged = await credentialOf(stranger, 'OrganisationCredential', organisationClaims, {
      idx: 1,
      subjectDid: utility.did,
    })
    const didLogs = { ...(await bundle()).didLogs, [stranger.did]: { log: stranger.log, witness: null } }
    const withForged = await bundle({ accreditations: { [utility.did]: forged }, didLogs })
    await expect(verifyOffline(await entitlement(), withForged, anchors())).rejects.toMatchObject({
      code: 'untrusted-issuer',
    })
    const others = anchors({ authorityDids: [stranger.did] })
    await expect(verifyOffline(await entitlement(), await bundle({ didLogs }), others)).rejects.toMatchObject({
      code: 'untrusted-issuer',
    })
  })

  test.each([
    ['the credential', 7, 'credential-revoked'],
    ['the accreditation of its issuer', 1, 'untrusted-issuer'],
  ])('a suspension of %s is seen', async (_what, idx, code) => {
    const statuses = new Uint8Array(64)
    statuses[idx >> 2] = 0b10 << ((idx & 3) * 2)
    await expect(verifyOffline(await entitlement(), await bundle({ statuses }), anchors())).rejects.toMatchObject({
      code,
    })
  })
})

describe('after a rotation', () => {
  test('what the old key signed before stays good', async () => {
    await expect(verifyOffline(await entitlement(), await bundle(), anchors())).resolves.toBeDefined()
  })

  test('what the new key signs is good', async () => {
    const credential = await entitlement({ signer: newKey, issuedAt: at('07-01') })
    await expect(verifyOffline(credential, await bundle(), anchors())).resolves.toBeDefined()
  })

  test('what the old key signs is not', async () => {
    const credential = await entitlement({ issuedAt: at('07-01') })
    await expect(verifyOffline(credential, await bundle(), anchors())).rejects.toMatchObject({
      code: 'invalid-credential-signature',
    })
  })

  test('what says that it was issued before the DID was made is not', async () => {
    const credential = await entitlement({ issuedAt: new Date(made.getTime() - 1000) })
    await expect(verifyOffline(credential, await bundle(), anchors())).rejects.toMatchObject({
      code: 'invalid-credential-signature',
    })
  })
})

describe('a compromised key', () => {
  const keyOf = ({ did }: Party, { publicKey }: Signer) => ({ did, jkt: thumbprint(publicKey) })

  test('makes everything that it signed untrusted, whenever it says that it was signed', async () => {
    const compromised = [keyOf(utility, utility.signer)]
    await expect(verifyOffline(await entitlement(), await bundle({ compromised }), anchors())).rejects.toMatchObject({
      code: 'untrusted-issuer',
    })
  })

  test('does not touch what the other keys of the DID signed', async () => {
    const compromised = [keyOf(utility, utility.signer)]
    const credential = await entitlement({ signer: newKey, issuedAt: at('07-01') })
    await expect(verifyOffline(credential, await bundle({ compromised }), anchors())).resolves.toBeDefined()
  })

  test('of the registrar makes what it accredited untrusted', async () => {
    const compromised = [keyOf(registrar, registrar.signer)]
    await expect(verifyOffline(await entitlement(), await bundle({ compromised }), anchors())).rejects.toMatchObject({
      code: 'untrusted-issuer',
    })
  })

  test('is another one than the same key of another DID', async () => {
    const compromised = [{ did: registrar.did, jkt: thumbprint(utility.signer.publicKey) }]
    await expect(verifyOffline(await entitlement(), await bundle({ compromised }), anchors())).resolves.toBeDefined()
  })

  const by = ({ did, keyId }: Party, signer: Signer) => ({ did, keyId: keyId(signer), signer, now })

  async function report(statement: string, time = now) {
    const { options } = await offlineOptions(await bundle(), anchors())
    const { resolveDid } = options
    return verifyKeyCompromise(statement, { resolveDid, rootDid: registrar.did, now: time, maxAgeSeconds: 300 })
  }

  test('is reported by the controller of its DID with a key of now, or by the registrar', async () => {
    const key = keyOf(utility, utility.signer)
    await expect(report(await signKeyCompromise(key, by(utility, newKey)))).resolves.toEqual({
      ...key,
      statedBy: utility.did,
    })
    await expect(report(await signKeyCompromise(key, by(registrar, registrar.signer)))).resolves.toMatchObject(key)
  })

  test.each<[string, string, () => Promise<string>, number?]>([
    [
      'another organisation',
      'role-required',
      () => signKeyCompromise(keyOf(utility, newKey), by(authority, authority.signer)),
    ],
    [
      'a key that its DID has no more',
      'invalid-credential-signature',
      () => signKeyCompromise(keyOf(utility, newKey), by(utility, utility.signer)),
    ],
    [
      'somebody in another’s name',
      'invalid-signature',
      () => signKeyCompromise(keyOf(utility, newKey), { ...by(utility, newKey), signer: holder }),
    ],
    [
      'a statement of before',
      'statement-expired',
      () => signKeyCompromise(keyOf(utility, newKey), by(utility, newKey)),
      301_000,
    ],
    [
      'a statement that names no key',
      'invalid-proof',
      () => signKeyCompromise({ did: utility.did, jkt: 'x' }, by(utility, newKey)),
    ],
    ['something else', 'invalid-proof', async () => 'x'],
  ])('is not reported by %s', async (_who, code, make, later = 0) => {
    await expect(report(await make(), new Date(now.getTime() + later))).rejects.toMatchObject({ code })
  })
})
