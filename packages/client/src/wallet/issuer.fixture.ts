import { fromUtf8, type Json, parseJson } from '@tillit/codec'
import {
  type PublicKey,
  parseJws,
  parsePublicJwk,
  type Signer,
  signJws,
  thumbprint,
  toPublicJwk,
  verifyJws,
} from '@tillit/keys'
import type { PublicJwk } from '@tillit/schemas'
import { CompactEncrypt, type CryptoKey, compactDecrypt, exportJWK, generateKeyPair, importJWK, type JWK } from 'jose'
import { didOf, entitlementClaims, issue, now, signerOf } from '../../../credential/test/city.ts'
import { type Peer, type PeerRequest, startPeer } from './peer.fixture.ts'

type Message = { [name: string]: unknown }

/** An issuer that does as OpenID4VCI 1.0 says until a test has it do otherwise; it verifies what the wallet proves. */
export interface IssuerPeer extends Peer {
  /** Members that replace those of the issuer's, the server's metadata and the credential response; undefined takes one out. */
  metadata: Message
  server: Message
  token: Message
  response: (response: Message, request: Message) => Message | Promise<Message>
  /** Whom the credentials are made for, in place of the proven keys. */
  bindTo: PublicJwk | null
  /** Signs the metadata, for wallets that ask for that. */
  metadataSigner: { kid: string; signer: Signer; changes: Message } | null
  dpopNonce: string | null
  encrypts: boolean
  notifications: Message[]
  /** Nonces that are good for one proof each. */
  nonces: Set<string>
}

export const txCode = '493536'
const configurationId = 'MeteringPointEntitlement'
const preAuthorizedCode = 'oaKazRN8I0IbtZ0C7JuMn5'

export async function startIssuer(): Promise<IssuerPeer> {
  const peer = await startPeer()
  const issuer: IssuerPeer = Object.assign(peer, {
    ...{ metadata: {}, server: {}, token: {}, notifications: [], bindTo: null, dpopNonce: null, encrypts: false },
    metadataSigner: null,
    response: (response: Message) => response,
    nonces: new Set<string>(),
  })
  const requestKey = await generateKeyPair('ECDH-ES', { crv: 'P-256' })
  const requestJwk = { ...(await exportJWK(requestKey.publicKey)), use: 'enc', alg: 'ECDH-ES', kid: 'requests' }
  const bound = new Map<string, string>()

  const metadata = (): Message => ({
    credential_issuer: peer.url,
    authorization_servers: [`${peer.url}/oauth`],
    credential_endpoint: `${peer.url}/credential`,
    nonce_endpoint: `${peer.url}/nonce`,
    deferred_credential_endpoint: `${peer.url}/deferred`,
    notification_endpoint: `${peer.url}/notification`,
    batch_credential_issuance: { batch_size: 3 },
    ...(issuer.encrypts
      ? {
          credential_request_encryption: {
            jwks: { keys: [requestJwk] },
            enc_values_supported: ['A256GCM'],
            encryption_required: true,
          },
          credential_response_encryption: {
            ...{ alg_values_supported: ['ECDH-ES'], enc_values_supported: ['A256GCM'], encryption_required: true },
          },
        }
      : {}),
    credential_configurations_supported: {
      [configurationId]: {
        ...{
          format: 'dc+sd-jwt',
          scope: configurationId,
          vct: `https://tillit.example/credentials/${configurationId}`,
        },
        proof_types_supported: { jwt: { proof_signing_alg_values_supported: ['ES256', 'EdDSA'] } },
      },
      Unreadable: { format: 'mso_mdoc', doctype: 'org.iso.18013.5.1.mDL' },
    },
    ...issuer.metadata,
  })
  peer.on('GET', '/.well-known/openid-credential-issuer', async ({ headers }) => {
    const { metadataSigner } = issuer
    if (metadataSigner === null || !headers.accept?.includes('application/jwt')) return { body: metadata() }
    const { kid, signer, changes } = metadataSigner
    const payload = { ...metadata(), sub: peer.url, iat: seconds(now), ...changes }
    return {
      headers: { 'content-type': 'application/jwt' },
      body: await signJws({ typ: 'openidvci-issuer-metadata+jwt', kid }, payload, signer),
    }
  })
  peer.on('GET', '/.well-known/oauth-authorization-server/oauth', () => ({
    body: {
      issuer: `${peer.url}/oauth`,
      token_endpoint: `${peer.url}/oauth/token`,
      pushed_authorization_request_endpoint: `${peer.url}/oauth/par`,
      authorization_endpoint: `${peer.url}/oauth/authorize`,
      authorization_response_iss_parameter_supported: true,
      dpop_signing_alg_values_supported: ['ES256'],
      ...issuer.server,
    },
  }))
  peer.on('POST', '/oauth/par', () => ({ status: 201, body: { request_uri: 'urn:pushed:1', expires_in: 60 } }))
  peer.on('POST', '/oauth/token', (request) => {
    const proof = dpopProof(request, `${peer.url}/oauth/token`)
    if (issuer.dpopNonce !== null && proof.nonce !== issuer.dpopNonce) {
      return { status: 400, headers: { 'dpop-nonce': issuer.dpopNonce }, body: { error: 'use_dpop_nonce' } }
    }
    const form = new URLSearchParams(request.body)
    if (form.get('grant_type')?.endsWith('pre-authorized_code')) {
      if (form.get('pre-authorized_code') !== preAuthorizedCode || form.get('tx_code') !== txCode)
        return { status: 400, body: { error: 'invalid_grant', error_description: 'The transaction code is wrong' } }
    }
    const token = `token ${bound.size}`
    bound.set(token, proof.jkt)
    return { body: { access_token: token, token_type: 'DPoP', expires_in: 300, ...issuer.token } }
  })
  peer.on('POST', '/nonce', () => {
    const nonce = `nonce ${crypto.randomUUID()}`
    issuer.nonces.add(nonce)
    return { body: { c_nonce: nonce } }
  })
  const protectedBy = (request: PeerRequest, path: string) => {
    const proof = dpopProof(request, peer.url + path)
    const token = request.headers.authorization?.replace(/^DPoP /, '') ?? ''
    return bound.get(token) === proof.jkt
  }
  const answerTo = async (request: Message, response: Message) => {
    const encryption = request.credential_response_encryption as { jwk: JWK; enc: string } | undefined
    if (encryption === undefined) return { body: response }
    const jwe = await new CompactEncrypt(new TextEncoder().encode(JSON.stringify(response)))
      .setProtectedHeader({ alg: 'ECDH-ES', enc: encryption.enc })
      .encrypt(await importJWK(encryption.jwk, 'ECDH-ES'))
    return { headers: { 'content-type': 'application/jwt' }, body: jwe }
  }
  peer.on('POST', '/credential', async (incoming) => {
    if (!protectedBy(incoming, '/credential')) return { status: 401, body: { error: 'invalid_token' } }
    const request = await messageIn(incoming, requestKey.privateKey)
    const proofs = (request.proofs as { jwt: string[] }).jwt.map((jwt) => keyProof(jwt, peer.url, issuer.nonces))
    if (proofs.includes(null)) return { status: 400, body: { error: 'invalid_nonce' } }
    const keys = proofs.flatMap((key) => (key === null ? [] : [issuer.bindTo ?? toPublicJwk(key)]))
    const credentials = await Promise.all(
      keys.map(async (holderJwk) => ({
        credential: await issue('utility', 'MeteringPointEntitlement', entitlementClaims, { holderJwk }),
      })),
    )
    return answerTo(request, await issuer.response({ credentials, notification_id: 'notification' }, request))
  })
  peer.on('POST', '/notification', ({ body }) => {
    issuer.notifications.push(parseJson(body) as Message)
    return { status: 204 }
  })
  return issuer
}

export function offerLink(issuer: IssuerPeer, changes: Message = {}): string {
  const offer = {
    credential_issuer: issuer.url,
    credential_configuration_ids: [configurationId],
    grants: {
      authorization_code: { issuer_state: 'state of the offer' },
      'urn:ietf:params:oauth:grant-type:pre-authorized_code': {
        'pre-authorized_code': preAuthorizedCode,
        tx_code: { length: 6, input_mode: 'numeric', description: 'It came by letter' },
      },
    },
    ...changes,
  }
  return `openid-credential-offer://?credential_offer=${encodeURIComponent(JSON.stringify(offer))}`
}

/** The authority of the city, as it signs metadata. */
export async function authorityKey() {
  return { kid: `${didOf('authority')}#key-1`, signer: await signerOf('authority'), changes: {} }
}

/** RFC 9449 section 4.3. */
function dpopProof({ headers }: PeerRequest, url: string): { jkt: string; nonce: Json | undefined } {
  const text = String(headers.dpop)
  const key = parsePublicJwk(parseJws(text).header.jwk as Record<string, unknown>)
  const { payload } = verifyJws(text, key, { typ: 'dpop+jwt' })
  if (payload.htu !== url || payload.htm !== 'POST') throw new Error('a proof for another request')
  return { jkt: thumbprint(key), nonce: payload.nonce }
}

/** OpenID4VCI 1.0 appendix F.1; null: the nonce is not one of ours. */
function keyProof(jwt: string, audience: string, nonces: Set<string>): PublicKey | null {
  const key = parsePublicJwk(parseJws(jwt).header.jwk as Record<string, unknown>)
  const { payload } = verifyJws(jwt, key, { typ: 'openid4vci-proof+jwt' })
  if (payload.aud !== audience) throw new Error('a proof for another issuer')
  return nonces.has(String(payload.nonce)) ? key : null
}

async function messageIn({ headers, body }: PeerRequest, key: CryptoKey): Promise<Message> {
  if (headers['content-type'] !== 'application/jwt') return parseJson(body) as Message
  const { plaintext, protectedHeader } = await compactDecrypt(body, key)
  if (protectedHeader.kid !== 'requests') throw new Error('encrypted to another key')
  return parseJson(fromUtf8(plaintext)) as Message
}

function seconds(time: Date): number {
  return Math.floor(time.getTime() / 1000)
}
