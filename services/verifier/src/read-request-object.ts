import type { CallbackContext, JwtSigner } from '@openid4vc/oauth2'
import { createOpenid4vpAuthorizationRequest } from '@openid4vc/openid4vp'
import { type Signer, signJws, toPublicJwk } from '@tillit/keys'
import { Problem } from '@tillit/problem'
import type { Party } from '@tillit/schemas'
import { publicEncryptionKey } from './encryption-key.ts'
import { openRequest } from './open-request.ts'
import type { Context } from './ports.ts'
import { requestUri, responseUri } from './request-links.ts'
import type { PresentationRow } from './tables.ts'
import type { WalletRequest } from './wallet-request.ts'

const requestObjectType = 'oauth-authz-req+jwt'

/** RFC 9101 section 4 with OpenID4VP 1.0 section 5.8: the audience of a request to whichever wallet. */
const anyWallet = 'https://self-issued.me/v2'

/** What is signed for, as HAIP 1.0 and RFC 8037 name it. */
const signatureAlgorithms: [string, ...string[]] = ['ES256', 'EdDSA']

/** The format identifiers of what stands beside the request (OpenID4VP 1.0 section 5.11). */
const verifierInfoFormats = { accreditation: 'dc+sd-jwt', purpose: 'https://tillit.example/verifier-info/purpose' }

/**
 * The signed request object (OpenID4VP 1.0 sections 5.9 and 5.10). It can be fetched as often as a wallet likes while it may be
 * answered: the specification does not make it single-use, what is single-use is the answer. Throws Problem not-found,
 * presentation-closed, invalid-request (the wallet cannot verify our signature), not-ready.
 */
export async function readRequestObject(context: Context, requestId: string, wallet: WalletRequest): Promise<string> {
  const now = context.now()
  const { request: row, asker } = await openRequest(context, requestId, now)
  const { signer, jwtSigner } = await signerOf(context, row)
  if (wallet.signingAlgorithms?.includes(signer.alg) === false) {
    throw new Problem('invalid-request', {
      detail: `The request is signed by ${signer.alg}, which the wallet does not know`,
    })
  }
  const { jar } = await createOpenid4vpAuthorizationRequest({
    authorizationRequestPayload: {
      response_type: 'vp_token',
      response_mode: row.response_mode,
      response_uri: responseUri(context.publicUrl, row.request_id),
      client_id: row.client_id,
      nonce: row.nonce,
      dcql_query: row.query,
      client_metadata: clientMetadata(row, wallet),
      verifier_info: verifierInfo(row, asker),
      ...(row.transaction_data.length === 0 ? {} : { transaction_data: row.transaction_data }),
      ...(wallet.walletNonce === null ? {} : { wallet_nonce: wallet.walletNonce }),
    },
    jar: {
      requestUri: requestUri(context.publicUrl, row.request_id),
      jwtSigner,
      expiresInSeconds: 0,
      additionalJwtPayload: { aud: anyWallet, iat: seconds(now), exp: seconds(row.expires_at) },
    },
    wallet: wallet.walletNonce === null ? {} : { expectedNonce: wallet.walletNonce },
    callbacks: signingWith(signer),
  })
  if (!jar) throw new Error('a request was made without its object')
  await context.store.markFetched(row.id, now)
  return jar.authorizationRequestJwt
}

async function signerOf(
  context: Context,
  { signed_by: did }: PresentationRow,
): Promise<{ signer: Signer; jwtSigner: JwtSigner }> {
  const { certificate } = context
  if (did === null && certificate) {
    const { signer, chain } = certificate
    return { signer, jwtSigner: { method: 'x5c', x5c: [...chain], alg: signer.alg } }
  }
  const key = did === null ? null : await context.hostedKeys(did)
  if (!key) throw new Problem('not-ready', { detail: 'The key that signs requests is not there' })
  return { signer: key.signer, jwtSigner: { method: 'did', didUrl: key.keyId, alg: key.signer.alg } }
}

function signingWith(signer: Signer): Pick<CallbackContext, 'signJwt' | 'encryptJwe'> {
  return {
    signJwt: async (_jwtSigner, { header, payload }) => ({
      jwt: await signJws({ ...header, typ: requestObjectType }, payload, signer),
      signerJwk: { ...toPublicJwk(signer.publicKey) },
    }),
    encryptJwe: () => {
      throw new Error('request objects are not encrypted')
    },
  }
}

/** OpenID4VP 1.0 sections 8.3 and 11.1. */
function clientMetadata({ encryption_key: key }: PresentationRow, wallet: WalletRequest) {
  return {
    vp_formats_supported: {
      'dc+sd-jwt': { 'sd-jwt_alg_values': signatureAlgorithms, 'kb-jwt_alg_values': signatureAlgorithms },
      jwt_vc_json: { alg_values: signatureAlgorithms },
    },
    ...(key === null
      ? {}
      : {
          jwks: { keys: [publicEncryptionKey(key)] },
          encrypted_response_enc_values_supported: [...wallet.contentEncryptions],
        }),
  }
}

/** Who asks, attested by the registrar, and why: a wallet that does not know the formats ignores them. */
function verifierInfo({ purpose, asked_by: askedBy }: PresentationRow, { credential, name }: Party) {
  return [
    ...(credential === null ? [] : [{ format: verifierInfoFormats.accreditation, data: credential }]),
    { format: verifierInfoFormats.purpose, data: { purpose, asked_by: askedBy, name } },
  ]
}

function seconds(time: Date): number {
  return Math.floor(time.getTime() / 1000)
}
