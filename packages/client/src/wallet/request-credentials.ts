import type { Json } from '@tillit/codec'
import { toPublicJwk } from '@tillit/keys'
import { Problem } from '@tillit/problem'
import { CityError } from '../city.ts'
import { type Answer, ask, jsonOf } from './ask.ts'
import { postWithDpop } from './dpop.ts'
import { type AnswerKey, chooseRecipient, createAnswerKey, encryptMessage } from './encrypt-message.ts'
import type { IssuerMetadata } from './issuer-metadata.ts'
import { createKeyProof } from './key-proof.ts'
import { readMembers } from './read-members.ts'
import type { Authorization } from './request-token.ts'
import type { WalletContext } from './wallet-context.ts'
import type { WalletKey } from './wallet-store.ts'

/** Between two questions for a deferred credential, when the issuer does not say. */
const usualIntervalSeconds = 60

/** What the issuer gave (OpenID4VCI 1.0 sections 8.3 and 9.2). */
export type Issuance =
  | { readonly kind: 'issued'; readonly credentials: readonly Json[]; readonly notificationId: string | null }
  | { readonly kind: 'deferred'; readonly transactionId: string; readonly intervalSeconds: number }

/** Which credential is meant: by an identifier that came with the token, or by its configuration. */
export type CredentialName = { credential_identifier: string } | { credential_configuration_id: string }

/**
 * Asks for one credential for each key (section 8.2), encrypted in both directions where the issuer can. A nonce that ran out
 * meanwhile is replaced once. Throws CityError with the issuer's error code, and Problem invalid-issuer-metadata.
 */
export async function requestCredentials(
  context: WalletContext,
  metadata: IssuerMetadata,
  authorization: Authorization,
  { name, keys, attested }: { name: CredentialName; keys: readonly WalletKey[]; attested: boolean },
): Promise<Issuance> {
  const send = async () => {
    const nonce = await requestNonce(context, metadata)
    const about = { credentialIssuer: metadata.credentialIssuer, nonce }
    const jwt = attested
      ? [await attestedProof(context, keys, about)]
      : await Promise.all(keys.map((key) => createKeyProof(context, key, about)))
    return sendMessage(context, metadata, authorization, {
      endpoint: metadata.credentialEndpoint,
      message: { ...name, proofs: { jwt } },
    })
  }
  try {
    return parseIssuance(await send())
  } catch (error) {
    if (!(error instanceof CityError && error.code === 'invalid_nonce')) throw error
    return parseIssuance(await send())
  }
}

/** One proof for all keys, by an attestation of them (appendix F.1). */
async function attestedProof(
  context: WalletContext,
  keys: readonly WalletKey[],
  about: { credentialIssuer: string; nonce: string | null },
): Promise<string> {
  const [first] = keys
  if (context.attestKeys === null || first === undefined)
    throw new TypeError('there is nothing to attest, or nobody to do it')
  const jwks = keys.map(({ signer }) => toPublicJwk(signer.publicKey))
  return createKeyProof(context, first, { ...about, keyAttestation: await context.attestKeys(jwks, about.nonce) })
}

/** Asks for a credential that was promised (section 9). */
export async function requestDeferred(
  context: WalletContext,
  metadata: IssuerMetadata,
  authorization: Authorization,
  transactionId: string,
): Promise<Issuance> {
  const endpoint = metadata.deferredEndpoint
  if (endpoint === null) throw malformed('The issuer has no endpoint for deferred credentials')
  const message = { transaction_id: transactionId }
  return parseIssuance(await sendMessage(context, metadata, authorization, { endpoint, message }))
}

/** Tells the issuer what became of its credentials (section 11), where it wants to know. */
export async function notifyIssuer(
  context: WalletContext,
  metadata: IssuerMetadata,
  authorization: Authorization,
  notification: { notificationId: string; event: 'credential_accepted' | 'credential_failure' },
): Promise<void> {
  if (metadata.notificationEndpoint === null) return
  const answer = await postWithDpop(context, authorization.dpop, {
    url: metadata.notificationEndpoint,
    headers: { 'content-type': 'application/json', accept: 'application/json' },
    body: JSON.stringify({ notification_id: notification.notificationId, event: notification.event }),
    accessToken: authorization.accessToken,
  })
  if (answer.status !== 204) jsonOf(answer)
}

/** Section 7. Null: the issuer uses none. */
async function requestNonce(context: WalletContext, { nonceEndpoint }: IssuerMetadata): Promise<string | null> {
  if (nonceEndpoint === null) return null
  const answer = await ask(context.fetch, nonceEndpoint, { method: 'POST', headers: { accept: 'application/json' } })
  return readMembers(jsonOf(answer), malformed).text('c_nonce')
}

async function sendMessage(
  context: WalletContext,
  metadata: IssuerMetadata,
  { accessToken, dpop }: Authorization,
  { endpoint, message }: { endpoint: string; message: object },
): Promise<Json> {
  const { body, contentType, answerKey } = await sealed(metadata, message)
  const answer = await postWithDpop(context, dpop, {
    url: endpoint,
    headers: { 'content-type': contentType, accept: 'application/json, application/jwt' },
    body,
    accessToken,
  })
  return openAnswer(answer, answerKey)
}

/** Section 8.2: whoever asks for an encrypted answer encrypts the question too, or its key could be exchanged on the way. */
async function sealed(
  { requestEncryption, responseEncryption }: IssuerMetadata,
  message: object,
): Promise<{ body: string; contentType: string; answerKey: AnswerKey | null }> {
  const recipient = requestEncryption && chooseRecipient(requestEncryption.jwks, requestEncryption.encodings)
  const answerKey =
    recipient &&
    responseEncryption &&
    (await createAnswerKey(responseEncryption.algorithms, responseEncryption.encodings))
  if (requestEncryption?.required && recipient === null) throw unsupported('requests')
  if (responseEncryption?.required && answerKey === null) throw unsupported('answers')
  const whole = answerKey === null ? message : { ...message, credential_response_encryption: answerKey.parameters }
  return recipient === null
    ? { body: JSON.stringify(whole), contentType: 'application/json', answerKey: null }
    : { body: await encryptMessage(whole, recipient), contentType: 'application/jwt', answerKey }
}

async function openAnswer(answer: Answer, answerKey: AnswerKey | null): Promise<Json> {
  const issued = answer.status >= 200 && answer.status < 300
  // Errors come in the clear (section 8.3.1); a credential that was to be encrypted does not.
  if (!issued || answerKey === null) return jsonOf(answer)
  if (answer.mediaType !== 'application/jwt') throw malformed('The answer is not encrypted as was asked')
  return answerKey.decrypt(answer.text)
}

function parseIssuance(answer: Json): Issuance {
  const issuance = readMembers(answer, malformed)
  const transactionId = issuance.optionalText('transaction_id')
  if (transactionId !== null) {
    const intervalSeconds = issuance.optionalNumber('interval') ?? usualIntervalSeconds
    return { kind: 'deferred', transactionId, intervalSeconds }
  }
  const credentials = issuance.optionalList('credentials')
  if (credentials === null) throw malformed('The answer holds no credential')
  return {
    kind: 'issued',
    credentials: credentials.map((item) => readMembers(item, malformed).object.credential ?? null),
    notificationId: issuance.optionalText('notification_id'),
  }
}

function unsupported(what: string): Problem {
  return new Problem('feature-not-supported', {
    detail: `The issuer encrypts ${what} in a way this wallet does not know`,
  })
}

function malformed(detail: string): Problem {
  return new Problem('invalid-issuer-metadata', { detail })
}
