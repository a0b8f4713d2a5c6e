import { resolveDocument, withFreshKeys } from '@tillit/credential'
import { verificationKeys } from '@tillit/did'
import { type ParsedJws, parseJws, verifyJws } from '@tillit/keys'
import { Problem } from '@tillit/problem'
import { ask, checkedUrl, jsonOf } from './ask.ts'
import { type DcqlQuery, parseDcqlQuery } from './dcql-query.ts'
import { chooseRecipient, type Recipient } from './encrypt-message.ts'
import { randomText } from './random-text.ts'
import { isObject, readMembers } from './read-members.ts'
import { parseTransactionData, type TransactionData } from './transaction-data.ts'
import type { WalletContext } from './wallet-context.ts'

const requestType = 'oauth-authz-req+jwt'
/** The entry of `verifier_info` in which cities say who asks and why; others are ignored. */
const purposeFormat = 'https://tillit.example/verifier-info/purpose'
const didPrefix = 'decentralized_identifier:'
/** OpenID4VP 1.0 section 5.8: the audience of a verifier that does not know which wallet answers. */
const anyWallet = 'https://self-issued.me/v2'
/** A request that was signed longer ago, in seconds, was meant for another moment. */
const maxAgeSeconds = 3600
const skewSeconds = 60

/** A request whose sender is known: its signature was verified under a key of that DID. */
export interface PresentationRequest {
  /** The verifier, with its prefix: whom the key binding will be for. */
  readonly clientId: string
  readonly verifierDid: string
  /** Who asks through this verifier and why, in its own words (`verifier_info`); null: it does not say. */
  readonly asker: { readonly name: string; readonly purpose: string } | null
  readonly nonce: string
  readonly state: string | null
  readonly responseUri: string
  /** Null: the response goes in the clear of the TLS connection. */
  readonly encryptTo: Recipient | null
  readonly query: DcqlQuery
  readonly transactionData: readonly TransactionData[]
}

/**
 * Fetches the request behind a link or QR code (OpenID4VP 1.0 section 5) and verifies who sent it. Only signed requests of
 * verifiers with a DID are taken. Throws Problem invalid-presentation-request, invalid-signature, invalid-request, CityError
 * when the verifier does not hand it out (again), and what resolving the DID throws.
 */
export async function readPresentationRequest(link: string, context: WalletContext): Promise<PresentationRequest> {
  const { clientId, requestUri, post } = parseLink(link)
  const walletNonce = post ? randomText() : null
  const answer = await ask(context.fetch, requestUri, {
    headers: { accept: `application/${requestType}` },
    // Section 5.10: a request of its own for this wallet, now.
    ...(walletNonce === null
      ? {}
      : { method: 'POST', body: new URLSearchParams({ wallet_nonce: walletNonce, wallet_metadata: walletMetadata }) }),
  })
  if (answer.status !== 200) {
    jsonOf(answer)
    throw malformed('The verifier does not hand out its request')
  }
  const { payload } = await verifySender(answer.text, clientId, context)
  const request = readMembers(payload, malformed)
  if (walletNonce !== null && payload.wallet_nonce !== walletNonce)
    throw malformed('The request is not for this wallet')
  requireMeantForNow(payload, context.now())
  if (payload.response_type !== 'vp_token') throw malformed('Something else than a presentation is asked for')
  if (payload.redirect_uri !== undefined) throw malformed('The answer would go to the browser as well')
  return {
    clientId,
    verifierDid: clientId.slice(didPrefix.length),
    asker: askerIn(payload),
    nonce: request.text('nonce'),
    state: request.optionalText('state'),
    responseUri: checkedUrl(request.text('response_uri')),
    encryptTo: recipientOf(payload),
    query: parseDcqlQuery(payload.dcql_query),
    transactionData: parseTransactionData(request.optionalList('transaction_data') ?? [], context.transactionDataTypes),
  }
}

/** What this wallet can do (section 10), so that the verifier asks for nothing else. */
const walletMetadata = JSON.stringify({
  vp_formats_supported: {
    'dc+sd-jwt': { 'sd-jwt_alg_values': ['EdDSA', 'ES256'], 'kb-jwt_alg_values': ['EdDSA', 'ES256'] },
  },
  client_id_prefixes_supported: ['decentralized_identifier'],
  request_object_signing_alg_values_supported: ['EdDSA', 'ES256'],
  response_modes_supported: ['direct_post', 'direct_post.jwt'],
})

function parseLink(link: string): { clientId: string; requestUri: string; post: boolean } {
  if (!URL.canParse(link)) throw malformed('The request is not a link')
  const { searchParams } = new URL(link)
  for (const name of searchParams.keys()) {
    if (searchParams.getAll(name).length > 1) throw malformed('A parameter of the link stands twice')
  }
  const clientId = searchParams.get('client_id') ?? ''
  const requestUri = searchParams.get('request_uri')
  const method = searchParams.get('request_uri_method') ?? 'get'
  if (!clientId.startsWith(`${didPrefix}did:`)) throw malformed('The verifier does not name itself by a DID')
  // A request in the link itself could be signed by nobody, or be used again and again.
  if (requestUri === null) throw malformed('The link does not say where the request is')
  if (method !== 'get' && method !== 'post') throw malformed('The request is to be fetched in an unknown way')
  return { clientId, requestUri: checkedUrl(requestUri), post: method === 'post' }
}

/** Section 5.9.3, `decentralized_identifier`: signed by a key of the DID that the link named, as `kid` says. */
async function verifySender(token: string, clientId: string, { resolveDid }: WalletContext): Promise<ParsedJws> {
  const jws = parseJws(token.trim())
  const did = clientId.slice(didPrefix.length)
  const { kid } = jws.header
  if (jws.payload.client_id !== clientId) throw malformed('The request is that of another verifier than the link said')
  if (typeof kid !== 'string' || !kid.startsWith(`${did}#`))
    throw malformed('The request is signed by somebody else’s key')
  return withFreshKeys(resolveDid, async (resolve) => {
    const document = await resolveDocument(did, resolve)
    const keys = [...verificationKeys(document, 'authentication'), ...verificationKeys(document, 'assertionMethod')]
    const key = keys.find(({ id }) => id === kid)?.key
    if (key === undefined) throw new Problem('invalid-signature', { detail: 'The verifier has no such key' })
    return verifyJws(jws, key, { typ: requestType })
  })
}

function requireMeantForNow({ aud, iat, exp }: ParsedJws['payload'], now: Date): void {
  const nowSeconds = now.getTime() / 1000
  if (aud !== anyWallet && !(Array.isArray(aud) && aud.includes(anyWallet)))
    throw malformed('The request is not for a wallet')
  if (typeof iat === 'number' && (iat > nowSeconds + skewSeconds || iat < nowSeconds - maxAgeSeconds))
    throw malformed('The request is from another time')
  if (exp !== undefined && (typeof exp !== 'number' || exp <= nowSeconds)) throw malformed('The request has expired')
}

function askerIn({ verifier_info: info }: ParsedJws['payload']): PresentationRequest['asker'] {
  const entries = Array.isArray(info) ? info.filter(isObject) : []
  const data = entries.find(({ format }) => format === purposeFormat)?.data
  if (data === undefined) return null
  const { text } = readMembers(data, malformed)
  return { name: text('name'), purpose: text('purpose') }
}

/** Section 8.3: in mode `direct_post.jwt` the response is encrypted to a key of the verifier, or not sent at all. */
function recipientOf({ response_mode: mode, client_metadata: metadata }: ParsedJws['payload']): Recipient | null {
  if (mode === 'direct_post') return null
  if (mode !== 'direct_post.jwt') throw malformed('The response would go a way that this wallet does not take')
  const members = readMembers(metadata, malformed)
  const recipient = chooseRecipient(
    members.object.jwks,
    members.optionalTexts('encrypted_response_enc_values_supported'),
  )
  if (recipient === null) throw malformed('The verifier gives no key to encrypt to')
  return recipient
}

function malformed(detail: string): Problem {
  return new Problem('invalid-presentation-request', { detail })
}
