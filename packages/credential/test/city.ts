import { deflateSync, inflateSync } from 'node:zlib'
import { concat, sha256, utf8 } from '@tillit/codec'
import { type Signer, signerFromSeed, toPublicJwk } from '@tillit/keys'
import { Problem } from '@tillit/problem'
import type { CredentialType, DidResolutionResult } from '@tillit/schemas'
import type { CredentialStatus } from '../src/credential-status.ts'
import { type Issuance, issueSdJwtVc } from '../src/issue-sd-jwt-vc.ts'
import type { VerificationOptions } from '../src/verify-sd-jwt-vc.ts'

/** A city with real keys and signatures, and nothing random: each name always has the same key. */
export const now = new Date('2026-11-22T12:00:00Z')
export const statusUri = 'https://city.example/credentials/status-lists/1'
export const rootDid = didOf('registrar')
export const utilityDid = didOf('utility')
export const authorityDid = didOf('authority')
export const meteringPoint = 'mp_AAAAAAAAAAAAAAAAAAAAAA'

export const organisationClaims = {
  legal_name: 'Nordvik Nett AS',
  registration_number: '999888777',
  country: 'NO',
  roles: ['utility'],
  purposes: [],
}
export const entitlementClaims = {
  gsrn: '707057500000000001',
  metering_point: meteringPoint,
  role: 'holder',
  from: '2025-01-01T00:00:00+01:00',
}

export function didOf(name: string): string {
  return `did:web:${name}.example`
}

export function signerOf(name: string): Promise<Signer> {
  return signerFromSeed(sha256(utf8(`seed of ${name}`)))
}

/** Deterministic bytes, so that vectors can be made again byte by byte. */
export function counter(label = 'salt'): (length: number) => Uint8Array {
  let count = 0
  return (length) => {
    const blocks = Array.from({ length: Math.ceil(length / 32) }, () => sha256(utf8(`${label} ${count++}`)))
    return concat(...blocks).slice(0, length)
  }
}

export async function documentOf(name: string): Promise<Record<string, unknown>> {
  const id = didOf(name)
  const publicKeyJwk = toPublicJwk((await signerOf(name)).publicKey)
  const method = { id: `${id}#key-1`, type: 'JsonWebKey2020', controller: id, publicKeyJwk }
  return { id, verificationMethod: [method], assertionMethod: [method.id], authentication: [method.id] }
}

export function resolverOver(documents: Record<string, unknown>[]): (did: string) => Promise<DidResolutionResult> {
  return async (did) => {
    const didDocument = documents.find(({ id }) => id === did) ?? null
    return {
      didDocument,
      didResolutionMetadata: didDocument ? {} : { error: 'notFound' },
      didDocumentMetadata: {},
    }
  }
}

export async function issue(
  issuer: string,
  type: CredentialType,
  claims: Record<string, unknown>,
  changes: Partial<Issuance> = {},
): Promise<string> {
  const holder = await signerOf('holder')
  return issueSdJwtVc({
    type,
    issuerDid: didOf(issuer),
    keyId: `${didOf(issuer)}#key-1`,
    signer: await signerOf(issuer),
    holderJwk: toPublicJwk(holder.publicKey),
    claims,
    status: { idx: 7, uri: statusUri },
    issuedAt: new Date('2026-11-01T00:00:00Z'),
    expires: new Date('2027-11-01T00:00:00Z'),
    randomBytes: counter(),
    ...changes,
  })
}

export function accreditUtility(changes: Partial<Issuance> = {}): Promise<string> {
  return issue('registrar', 'OrganisationCredential', organisationClaims, {
    subjectDid: utilityDid,
    status: { idx: 1, uri: statusUri },
    ...changes,
  })
}

export async function cityOptions(
  changes: Partial<VerificationOptions> & {
    statuses?: Record<number, CredentialStatus>
    accreditation?: string | null
  } = {},
): Promise<VerificationOptions> {
  const { statuses = {}, accreditation = await accreditUtility(), ...options } = changes
  const names = ['registrar', 'utility', 'authority', 'stranger']
  return {
    resolveDid: resolverOver(await Promise.all(names.map(documentOf))),
    now,
    status: async (uri, idx) => {
      if (uri !== statusUri) throw new Problem('not-found')
      return statuses[idx] ?? 'valid'
    },
    trust: {
      rootDid,
      authorityDids: [authorityDid],
      accreditationOf: async (did) => (did === utilityDid ? accreditation : null),
      keyIsCompromised: async () => false,
    },
    ...options,
  }
}

export const deflate = (bytes: Uint8Array): Uint8Array => new Uint8Array(deflateSync(bytes))
export const inflate = (bytes: Uint8Array, maxBytes: number): Uint8Array =>
  new Uint8Array(inflateSync(bytes, { maxOutputLength: maxBytes }))
