import { presentSdJwtVc } from '@tillit/credential'
import { type Signer, thumbprint } from '@tillit/keys'
import { Problem } from '@tillit/problem'
import { ask, checkedUrl, jsonOf, refusal } from './ask.ts'
import { encryptMessage } from './encrypt-message.ts'
import { type Candidate, matchCredentials, queriesToAnswer } from './match-credentials.ts'
import type { PresentationRequest } from './presentation-request.ts'
import { readMembers } from './read-members.ts'
import { transactionClaims } from './transaction-data.ts'
import type { WalletContext } from './wallet-context.ts'

/** Exactly what would be sent, to be shown before anybody agrees: for each query the credential and what it tells. */
export type Answer = ReadonlyMap<string, Candidate>

/**
 * The answer that the wallet proposes: the newest credential for each query that has to be answered, or the one that
 * `choose` names. Throws Problem credential-not-held.
 */
export async function proposeAnswer(
  { store, now }: WalletContext,
  request: PresentationRequest,
  {
    choose = {},
    optionalSets = [],
  }: { choose?: Readonly<Record<string, string>>; optionalSets?: readonly number[] } = {},
): Promise<Answer> {
  const candidates = matchCredentials(request.query, await store.listCredentials(), now())
  const answer = new Map<string, Candidate>()
  for (const id of queriesToAnswer(request.query, candidates, optionalSets)) {
    const possible = candidates.get(id) ?? []
    const wanted = Object.hasOwn(choose, id) ? possible.find(({ held }) => held.id === choose[id]) : possible[0]
    if (wanted === undefined) throw new Problem('credential-not-held', { detail: `The choice does not answer ${id}` })
    answer.set(id, wanted)
  }
  return answer
}

/**
 * Sends the answer that the person agreed to, and nothing else (OpenID4VP 1.0 section 8). Gives where the person's browser is
 * to go on, or null. Throws CityError when the verifier does not take it.
 */
export async function sendAnswer(
  context: WalletContext,
  request: PresentationRequest,
  answer: Answer,
): Promise<{ redirectUri: string | null }> {
  requireSigners(request, answer)
  const vpToken: Record<string, string[]> = {}
  for (const [queryId, candidate] of answer) {
    vpToken[queryId] = [await presentCandidate(context, request, queryId, candidate)]
  }
  const response = { vp_token: vpToken, ...(request.state === null ? {} : { state: request.state }) }
  return post(context, request, response)
}

/** Tells the verifier that nothing will come (section 8.5); it learns no reason. */
export function declineRequest(
  context: WalletContext,
  request: PresentationRequest,
): Promise<{ redirectUri: string | null }> {
  const response = { error: 'access_denied', ...(request.state === null ? {} : { state: request.state }) }
  return post(context, request, response)
}

async function presentCandidate(
  context: WalletContext,
  request: PresentationRequest,
  queryId: string,
  { held, disclosed }: Candidate,
): Promise<string> {
  const signer = (await context.store.findKey(held.keyId))?.signer ?? ownSigner(context, held.keyId)
  return presentSdJwtVc(held.credential, {
    disclose: disclosed,
    keyBinding: {
      audience: request.clientId,
      nonce: request.nonce,
      signer,
      issuedAt: context.now(),
      claims: transactionClaims(request.transactionData, queryId),
    },
  })
}

/** The key of a holder that is a DID is not in the store. */
function ownSigner({ identity }: WalletContext, keyId: string): Signer {
  if (identity !== null && thumbprint(identity.signer.publicKey) === keyId) return identity.signer
  throw new Problem('key-not-bound', { detail: 'The wallet no longer has the key of this credential' })
}

/** What the verifier wants authorised is signed with the presentation, or nothing is sent. */
function requireSigners({ transactionData }: PresentationRequest, answer: Answer): void {
  if (transactionData.every(({ queryIds }) => queryIds.some((id) => answer.has(id)))) return
  throw new Problem('invalid-presentation-request', { detail: 'Transaction data would be signed by no credential' })
}

async function post(
  { fetch }: WalletContext,
  { responseUri, encryptTo }: PresentationRequest,
  response: { state?: string; vp_token?: object; error?: string },
): Promise<{ redirectUri: string | null }> {
  const { vp_token: vpToken, ...plain } = response
  const form =
    encryptTo === null || vpToken === undefined
      ? { ...plain, ...(vpToken === undefined ? {} : { vp_token: JSON.stringify(vpToken) }) }
      : { response: await encryptMessage(response, encryptTo) }
  const answer = await ask(fetch, responseUri, {
    method: 'POST',
    headers: { accept: 'application/json' },
    body: new URLSearchParams(form),
  })
  if (answer.status !== 200) throw refusal(answer)
  const redirectUri = readMembers(jsonOf(answer), malformed).optionalText('redirect_uri')
  return { redirectUri: redirectUri === null ? null : checkedUrl(redirectUri) }
}

function malformed(detail: string): Problem {
  return new Problem('invalid-presentation-request', { detail })
}
