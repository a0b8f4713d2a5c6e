import { createHash, X509Certificate } from 'node:crypto'
import type { CallbackContext, JwtSigner } from '@openid4vc/oauth2'
import { Openid4vpClient } from '@openid4vc/openid4vp'
import { SDJwtVcInstance } from '@sd-jwt/sd-jwt-vc'
import { DcqlQuery } from 'dcql'
import { CompactEncrypt, compactVerify, importJWK, type JWK } from 'jose'
import { signBytes, type WalletKey } from './wallet-key.ts'

/** What a wallet has: credentials in their full form, and the key that they are bound to. */
export interface Holder {
  credentials: readonly string[]
  key: WalletKey
}

export interface PresentingOptions {
  fetch: typeof fetch
  /** The public key behind a DID URL. */
  resolveKey: (didUrl: string) => Promise<JWK>
  /** Where certificates of verifiers have to end; base64 DER. */
  trustedCertificate?: string
  now?: Date
}

type ResolvedRequest = Awaited<ReturnType<Openid4vpClient['resolveOpenId4vpAuthorizationRequest']>>

/** What a test may have the wallet do wrong. */
export interface Misbehaviour {
  /** Replaces claims of the key binding; undefined takes one out. */
  binding?: { [claim: string]: unknown }
  /** Takes the place of the chosen disclosures. */
  disclose?: readonly string[]
  /** The last word on each presentation. */
  spoil?: (presentation: string) => string | Promise<string>
  signWith?: WalletKey
}

/**
 * A wallet as others would build one, on @openid4vc/openid4vp, dcql and @sd-jwt, so that the verifier is not only compatible
 * with code of its own; and one that can be told to do it wrong.
 */
export function createPresentingWallet(options: PresentingOptions) {
  const callbacks = callbacksOf(options)
  const client = new Openid4vpClient({ callbacks })
  return {
    /** Fetches the request behind a link and verifies who asks. */
    async resolve(link: string): Promise<ResolvedRequest> {
      const { params } = client.parseOpenid4vpAuthorizationRequest({ authorizationRequest: link })
      return client.resolveOpenId4vpAuthorizationRequest({ authorizationRequestPayload: params })
    },

    /** Presents what the query asks for, encrypted when that is asked for, and gives the verifier's answer. */
    async answer(request: ResolvedRequest, holder: Holder, misbehaviour: Misbehaviour = {}): Promise<Response> {
      return this.send(request, { vp_token: await vpTokenFor(request, holder, { ...misbehaviour, ...options }) })
    },

    async send(
      { authorizationRequestPayload }: ResolvedRequest,
      payload: { vp_token: { [query: string]: [string, ...string[]] } },
    ): Promise<Response> {
      const { response_uri: responseUri, response_mode: mode } = authorizationRequestPayload
      if (typeof responseUri !== 'string') throw new Error('the request is for another way')
      const created = await client.createOpenid4vpAuthorizationResponse({
        authorizationRequestPayload,
        authorizationResponsePayload: payload,
        ...(mode === 'direct_post.jwt'
          ? {
              jarm: {
                encryption: { nonce: 'nonce of the wallet' },
                serverMetadata: {
                  authorization_signing_alg_values_supported: [],
                  authorization_encryption_alg_values_supported: ['ECDH-ES'],
                  authorization_encryption_enc_values_supported: ['A256GCM', 'A128GCM'],
                },
              },
            }
          : {}),
      })
      const { response } = await client.submitOpenid4vpAuthorizationResponse({
        authorizationRequestPayload: { response_uri: responseUri },
        authorizationResponsePayload: created.authorizationResponsePayload,
        ...(created.jarm ? { jarm: created.jarm } : {}),
      })
      return response
    },

    /** Presentations as `answer` would send them. */
    present: (request: ResolvedRequest, holder: Holder, misbehaviour: Misbehaviour = {}) =>
      vpTokenFor(request, holder, { ...misbehaviour, ...options }),
  }
}

export type PresentingWallet = ReturnType<typeof createPresentingWallet>

async function vpTokenFor(
  request: ResolvedRequest,
  holder: Holder,
  options: Misbehaviour & { now?: Date },
): Promise<{ [query: string]: [string, ...string[]] }> {
  const query = DcqlQuery.parse(request.dcql?.query as Parameters<typeof DcqlQuery.parse>[0])
  const known = await Promise.all(holder.credentials.map(claimsIn))
  const result = DcqlQuery.query(
    query,
    known.map((claims) => ({
      credential_format: 'dc+sd-jwt',
      cryptographic_holder_binding: true,
      vct: String(claims.vct),
      claims: claims as Record<string, never>,
    })),
  )
  const wanted = result.credential_sets?.[0]?.matching_options?.[0] ?? query.credentials.map(({ id }) => id)
  const vpToken: { [query: string]: [string, ...string[]] } = {}
  for (const id of wanted) {
    const [match] = result.credential_matches[id]?.valid_credentials ?? []
    const credential = holder.credentials[match?.input_credential_index ?? -1]
    if (!match || credential === undefined) throw new Error(`the wallet has nothing for ${id}`)
    const [claimSet] = match.claims.valid_claim_sets
    const disclose = options.disclose ?? Object.keys(claimSet.output)
    vpToken[id] = [await presentOne(credential, { id, disclose, request, holder, ...options })]
  }
  return vpToken
}

async function presentOne(
  credential: string,
  {
    id,
    disclose,
    request,
    holder,
    binding = {},
    spoil = (presentation) => presentation,
    signWith = holder.key,
    now = new Date(),
  }: Misbehaviour & { id: string; disclose: readonly string[]; request: ResolvedRequest; holder: Holder; now?: Date },
): Promise<string> {
  const { authorizationRequestPayload: payload, transactionData = [] } = request
  const hashes = transactionData
    .filter(({ transactionData: entry }) => entry.credential_ids.includes(id))
    .map(({ encoded }) => createHash('sha256').update(encoded).digest('base64url'))
  const claims = {
    iat: Math.floor(now.getTime() / 1000),
    aud: payload.client_id ?? '',
    nonce: payload.nonce,
    ...(hashes.length === 0 ? {} : { transaction_data_hashes: hashes, transaction_data_hashes_alg: 'sha-256' }),
    ...binding,
  }
  const frame = Object.fromEntries(disclose.map((name) => [name, true]))
  const sdJwt = sdJwtOf(signWith)
  return spoil(await sdJwt.present(credential, frame, { kb: { payload: claims } }))
}

function sdJwtOf(key?: WalletKey): SDJwtVcInstance {
  return new SDJwtVcInstance({
    hasher: (data) =>
      createHash('sha256')
        .update(typeof data === 'string' ? data : new Uint8Array(data))
        .digest(),
    ...(key === undefined ? {} : { kbSignAlg: key.alg, kbSigner: async (data: string) => signBytes(key, data) }),
  })
}

async function claimsIn(credential: string): Promise<{ [name: string]: unknown }> {
  return { ...((await sdJwtOf().getClaims(credential)) as object) }
}

function callbacksOf({ fetch: ownFetch, resolveKey, trustedCertificate }: PresentingOptions): CallbackContext {
  const keyOf = async (signer: JwtSigner): Promise<Parameters<typeof compactVerify>[1]> => {
    if (signer.method === 'did') return importJWK(await resolveKey(signer.didUrl), signer.alg)
    if (signer.method === 'x5c') return trustedKey(signer.x5c, trustedCertificate)
    throw new Error(`a request signed by ${signer.method} is not trusted`)
  }
  const unused = (what: string) => () => {
    throw new Error(`the wallet does not ${what} here`)
  }
  return {
    fetch: ownFetch,
    hash: (data, algorithm) => new Uint8Array(createHash(algorithm.replace('-', '')).update(data).digest()),
    generateRandom: (length) => crypto.getRandomValues(new Uint8Array(length)),
    verifyJwt: async (signer, { compact }) => {
      try {
        await compactVerify(compact, await keyOf(signer))
        return { verified: true, signerJwk: { kty: 'none' } }
      } catch {
        return { verified: false }
      }
    },
    encryptJwe: async ({ publicJwk, alg, enc, apu, apv }, data) => {
      const encryption = new CompactEncrypt(new TextEncoder().encode(data))
        .setProtectedHeader({ alg, enc, ...(publicJwk.kid === undefined ? {} : { kid: publicJwk.kid }) })
        .setKeyManagementParameters({
          ...(apu === undefined ? {} : { apu: Buffer.from(apu, 'base64url') }),
          ...(apv === undefined ? {} : { apv: Buffer.from(apv, 'base64url') }),
        })
      return { encryptionJwk: publicJwk, jwe: await encryption.encrypt(await importJWK(publicJwk as JWK, alg)) }
    },
    decryptJwe: unused('decrypt'),
    signJwt: unused('sign requests'),
    clientAuthentication: unused('authenticate'),
    getX509CertificateMetadata: () => ({ sanDnsNames: [], sanUriNames: [] }),
  }
}

/** The key of the leaf, when the one certificate that is trusted signed it. */
function trustedKey([leaf = '']: readonly string[], anchor: string | undefined) {
  if (anchor === undefined) throw new Error('no certificate is trusted')
  const [certificate, trusted] = [leaf, anchor].map((der) => new X509Certificate(Buffer.from(der, 'base64')))
  if (!certificate || !trusted || !certificate.verify(trusted.publicKey)) {
    throw new Error('the certificate does not end at the one that is trusted')
  }
  return certificate.publicKey
}
