import { encodeId, idBytes, sha256, toBase64url, utf8 } from '@tillit/codec'
import { checkDcqlQuery, credentialTypes, transactionHashAlgorithm, typeIriOf, typeOfVct } from '@tillit/credential'
import { isProblem, Problem } from '@tillit/problem'
import type { CredentialQuery, DcqlQuery, Presentation, PresentationRequest } from '@tillit/schemas'
import { newEncryptionKey } from './encryption-key.ts'
import type { Context } from './ports.ts'
import { presetQuery } from './preset-query.ts'
import { viewPresentation } from './read-presentation.ts'

const lifeSeconds = 300
/** How long what wallets disclosed is kept when the asker does not say: long enough to fetch it. */
const keepResultSeconds = 600
/** OpenID4VP 1.0 section 14.1: fresh and hard to guess. */
const nonceBytes = 32
/** Unanswered requests of one organisation at a time. */
const maxOpenRequests = 10_000

/**
 * An accredited organisation asks a holder for a presentation; nothing is sent yet, a wallet fetches the request. Throws
 * Problem party-not-active, invalid-request, unknown-credential-type, too-many-requests.
 */
export async function requestPresentation(
  context: Context,
  askedBy: string,
  request: PresentationRequest,
): Promise<Presentation> {
  await requireActive(context, askedBy)
  const query = queryOf(request)
  const now = context.now()
  if ((await context.store.countOpen(askedBy, now)) >= maxOpenRequests) throw new Problem('too-many-requests')
  const flow = request.flow ?? 'cross-device'
  const responseMode = request.response_mode ?? 'direct_post.jwt'
  const requestId = encodeId('vpr', context.randomBytes(idBytes))
  const presentation = await context.store.add({
    id: encodeId('vp', context.randomBytes(idBytes)),
    request_id: requestId,
    asked_by: askedBy,
    ...(await verifierOf(context, askedBy, request)),
    flow,
    redirect_uri: redirectOf(request, flow, context.publicUrl),
    response_mode: responseMode,
    wallet_endpoint:
      request.wallet_endpoint === undefined
        ? null
        : webAddress(request.wallet_endpoint, '/wallet_endpoint', context.publicUrl),
    purpose: request.purpose,
    query,
    transaction_data: encodeTransactions(request, query),
    nonce: toBase64url(context.randomBytes(nonceBytes)),
    encryption_key: responseMode === 'direct_post.jwt' ? await newEncryptionKey(requestId) : null,
    keep_result_seconds: request.keep_result ?? keepResultSeconds,
    created_at: now,
    expires_at: new Date(now.getTime() + (request.expires_in ?? lifeSeconds) * 1000),
  })
  return viewPresentation(context, presentation, { now, responseCode: null })
}

async function requireActive({ readParty }: Context, did: string): Promise<void> {
  try {
    if ((await readParty(did)).status === 'ACTIVE') return
  } catch (error) {
    if (!isProblem(error, 'not-found')) throw error
  }
  throw new Problem('party-not-active', { detail: 'Only an accredited organisation may ask for presentations' })
}

function queryOf({ query, preset }: PresentationRequest): DcqlQuery {
  if ((query === undefined) === (preset === undefined)) {
    throw new Problem('invalid-request', { detail: 'A request has either a query or a preset' })
  }
  if (preset !== undefined) return presetQuery(preset)
  if (query === undefined) throw new TypeError('one of the two is there')
  checkDcqlQuery(query)
  for (const credential of query.credentials) requireKnownTypes(credential)
  return query
}

/** What nobody here issues can never be proved. */
function requireKnownTypes(query: CredentialQuery): void {
  const known =
    query.format === 'dc+sd-jwt'
      ? query.meta.vct_values.every((vct) => typeOfVct(vct) !== null)
      : query.meta.type_values.every((iris) => credentialTypes.some((type) => iris.includes(typeIriOf(type))))
  if (known) return
  throw new Problem('unknown-credential-type', { detail: `The query ${query.id} names a type that is not known here` })
}

/** In whose name the request is signed: the organisation's own where its key is kept here, else the authority's. */
async function verifierOf(
  context: Context,
  askedBy: string,
  request: PresentationRequest,
): Promise<{ signed_by: string | null; client_id: string }> {
  if (request.client_id_prefix === 'x509_hash') {
    if (!context.certificate) {
      throw wrong('The operator has configured no certificate', '/client_id_prefix')
    }
    const leaf = Buffer.from(context.certificate.chain[0], 'base64')
    return { signed_by: null, client_id: `x509_hash:${toBase64url(sha256(leaf))}` }
  }
  const did = (await context.hostedKeys(askedBy)) ? askedBy : context.authorityDid
  return { signed_by: did, client_id: `decentralized_identifier:${did}` }
}

/** Where the wallet sends the holder afterwards. */
function redirectOf(
  { redirect_uri: uri }: PresentationRequest,
  flow: Presentation['flow'],
  publicUrl: string,
): string | null {
  const pointer = '/redirect_uri'
  if (flow === 'cross-device') {
    if (uri !== undefined) throw wrong('A redirect is for the same-device flow', pointer)
    return null
  }
  if (uri === undefined) throw wrong('The same-device flow needs a redirect_uri', pointer)
  return webAddress(uri, pointer, publicUrl)
}

/** Over https, unless the city itself is a development one without. */
function webAddress(uri: string, pointer: string, publicUrl: string): string {
  const { protocol, hash } = new URL(uri)
  const insecure = protocol === 'http:' && publicUrl.startsWith('http:')
  if (protocol !== 'https:' && !insecure) throw wrong('The address is not an https URL', pointer)
  if (hash !== '') throw wrong('The address has a fragment', pointer)
  return uri
}

/** OpenID4VP 1.0 section 5.1: each entry is base64url of JSON. Ours name the hash function that the holder may take. */
function encodeTransactions({ transaction_data: entries = [] }: PresentationRequest, query: DcqlQuery): string[] {
  return entries.map((entry, index) => {
    const wrongId = entry.credential_ids.find(
      (id) => query.credentials.find((credential) => credential.id === id)?.format !== 'dc+sd-jwt',
    )
    if (wrongId !== undefined) {
      // Appendix B.3.3 says how a key binding signs it; no other format has such a place.
      throw wrong(`The query has no credential ${wrongId} in the format dc+sd-jwt`, `/transaction_data/${index}`)
    }
    return toBase64url(utf8(JSON.stringify({ ...entry, transaction_data_hashes_alg: [transactionHashAlgorithm] })))
  })
}

function wrong(detail: string, pointer: string): Problem {
  return new Problem('invalid-request', { detail, pointer })
}
