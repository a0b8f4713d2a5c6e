import { createPrivateKey, createPublicKey, hash, randomBytes, sign, verify } from 'node:crypto'
import { SDJwtVcInstance } from '@sd-jwt/sd-jwt-vc'
import { authenticateCredential, issueSdJwtVc, issueVcJwt } from '@tillit/credential'
import { generatePrivateJwk, signerFromJwk, toPublicJwk } from '@tillit/keys'
import type { DidResolutionResult } from '@tillit/schemas'
import { createJWT, EdDSASigner, verifyJWT } from 'did-jwt'
import { alternate, type Contender, type Pace } from './alternate.ts'
import { type Figure, figure } from './figure.ts'

const issuerDid = 'did:web:issuer.bench.example'
const keyId = `${issuerDid}#key-1`
const issuedAt = new Date('2026-06-01T00:00:00Z')
const now = new Date('2026-06-02T00:00:00Z')

/** A consent receipt is the type with the most claims; all but one of them can be left out here. */
const claims = {
  record_id: 'perm_AAAAAAAAAAAAAAAAAAAAAA',
  schema_version: 'ISO-IEC-TS-27560:2023',
  controller: issuerDid,
  recipient: 'did:web:adviser.bench.example',
  legal_basis: 'eu-gdpr:A6-1-a',
  purposes: ['energy-advice', 'research'],
  scope_digest: 'a'.repeat(64),
  statement_sha256: 'b'.repeat(64),
  given_at: '2026-06-01T00:00:00Z',
  expires: '2027-06-01T00:00:00Z',
  withdrawal: 'In the portal, under permissions',
}
const disclosable = Object.keys(claims).slice(1)

/** Issuing and verifying in one thread, beside the libraries and beside the signature alone. */
export async function credentialFormatsBench(pace?: Pace): Promise<Figure[]> {
  const speeds = await alternate(await contenders(), pace)
  const issued = { bench: 'credentials', figure: 'an SD-JWT VC with 10 disclosures issued', value: speeds.issue }
  const verified = { bench: 'credentials', figure: 'an SD-JWT VC with 10 disclosures verified', value: speeds.verify }
  const jwt = { bench: 'credentials', figure: 'a vc+jwt verified', value: speeds.verifyJwt }
  const rawSign = { what: 'Ed25519 signing alone, by node:crypto', value: speeds.rawSign }
  const rawVerify = { what: 'Ed25519 verification alone, by node:crypto', value: speeds.rawVerify }
  const unit = 'credentials/s'
  return [
    figure(
      { ...issued, unit, reference: { what: '@sd-jwt 0.19, on node:crypto too', value: speeds.peerIssue } },
      { least: 1.5 },
    ),
    figure({ ...issued, unit, reference: rawSign }, { least: 0.4 }),
    figure(
      { ...verified, unit, reference: { what: '@sd-jwt 0.19, on node:crypto too', value: speeds.peerVerify } },
      { least: 1.5 },
    ),
    figure({ ...verified, unit, reference: rawVerify }, { least: 0.4 }),
    figure({ ...jwt, unit, reference: { ...rawVerify, value: speeds.rawVerifyJwt } }, { least: 0.7 }),
    figure(
      { ...jwt, unit, reference: { what: 'did-jwt 9, a JWT of the same claims', value: speeds.didJwt } },
      { least: 10 },
    ),
  ]
}

type Name =
  | 'issue'
  | 'peerIssue'
  | 'rawSign'
  | 'verify'
  | 'peerVerify'
  | 'rawVerify'
  | 'verifyJwt'
  | 'rawVerifyJwt'
  | 'didJwt'

async function contenders(): Promise<Record<Name, Contender>> {
  const jwk = await generatePrivateJwk()
  const signer = await signerFromJwk(jwk)
  const holderJwk = toPublicJwk((await signerFromJwk(await generatePrivateJwk())).publicKey)
  const privateKey = createPrivateKey({ key: { ...jwk }, format: 'jwk' })
  const publicKey = createPublicKey(privateKey)
  const document = {
    id: issuerDid,
    verificationMethod: [
      { id: keyId, type: 'JsonWebKey2020', controller: issuerDid, publicKeyJwk: toPublicJwk(signer.publicKey) },
    ],
    assertionMethod: [keyId],
    authentication: [keyId],
  }
  const resolution: DidResolutionResult = { didDocument: document, didResolutionMetadata: {}, didDocumentMetadata: {} }
  const options = { resolveDid: async () => resolution, now }
  const status = { idx: 4711, uri: 'https://city.bench.example/credentials/status-lists/1' }
  const what = { type: 'ConsentReceipt', issuerDid, keyId, signer, holderJwk, claims, issuedAt } as const
  const issue = () =>
    issueSdJwtVc({ ...what, status, randomBytes: randomOf, disclosable: disclosable.map((name) => [name]) })
  const credential = await issue()
  const signed = signingInput(credential)
  const purposes = ['revocation', 'suspension'] as const
  const jwt = await issueVcJwt({ ...what, status: purposes.map((purpose) => ({ ...status, purpose })) })

  const peer = new SDJwtVcInstance({
    hasher: (data) => hash('sha256', typeof data === 'string' ? data : new Uint8Array(data), 'buffer'),
    hashAlg: 'sha-256',
    saltGenerator: () => randomBytes(16).toString('base64url'),
    signAlg: 'EdDSA',
    signer: async (data) => sign(null, Buffer.from(data), privateKey).toString('base64url'),
    verifier: async (data, signature) =>
      verify(null, Buffer.from(data), publicKey, Buffer.from(signature, 'base64url')),
  })
  const payload = {
    ...{
      iss: issuerDid,
      iat: issuedAt.getTime() / 1000,
      vct: 'https://bench.example/ConsentReceipt',
      cnf: { jwk: holderJwk },
    },
    ...{ ...claims, status: { status_list: status } },
  }
  const peerIssue = () =>
    peer.issue(payload, { _sd: disclosable as (keyof typeof payload)[] }, { header: { kid: keyId } })
  // Without a status, as the library would go and fetch its list.
  const { status: _, ...withoutStatus } = payload
  const peerCredential = await peer.issue(withoutStatus, { _sd: disclosable as (keyof typeof withoutStatus)[] })

  const didJwt = await createJWT(payload, {
    issuer: issuerDid,
    signer: EdDSASigner(Buffer.from(jwk.d, 'base64url')),
    alg: 'EdDSA',
  })
  const verifying = (bytes: Buffer) => {
    const signature = sign(null, bytes, privateKey)
    return repeating(
      async () => verify(null, bytes, publicKey, signature),
      (right) => right,
    )
  }
  const resolver = { resolve: async () => ({ ...resolution, didDocument: document }) }
  return {
    issue: repeating(issue, (one) => one.split('~').length === 12),
    peerIssue: repeating(peerIssue, (one) => one.split('~').length === 12),
    rawSign: repeating(
      async () => sign(null, signed, privateKey),
      (one) => one.length === 64,
    ),
    verify: repeating(
      () => authenticateCredential(credential, options),
      ({ claims: { expires } }) => expires === claims.expires,
    ),
    peerVerify: repeating(
      () => peer.verify(peerCredential),
      (one) => one.payload.expires === claims.expires,
    ),
    rawVerify: verifying(signed),
    rawVerifyJwt: verifying(signingInput(jwt)),
    verifyJwt: repeating(
      () => authenticateCredential(jwt, options),
      ({ claims: { expires } }) => expires === claims.expires,
    ),
    didJwt: repeating(
      () => verifyJWT(didJwt, { resolver, policies: { now: now.getTime() / 1000 } }),
      (one) => one.verified,
    ),
  }
}

/** What is signed of a JWT, or of an SD-JWT. */
function signingInput(token: string): Buffer {
  const [jwt = ''] = token.split('~')
  return Buffer.from(jwt.slice(0, jwt.lastIndexOf('.')))
}

function randomOf(length: number): Uint8Array {
  return new Uint8Array(randomBytes(length))
}

function repeating<Outcome>(run: () => Promise<Outcome>, isRight: (outcome: Outcome) => boolean): Contender {
  return async (times) => {
    let right = 0
    for (let i = 0; i < times; i++) if (isRight(await run())) right++
    return right
  }
}
