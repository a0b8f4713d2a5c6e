import type { ReadStatus, ResolveDid } from '@tillit/credential'
import { Problem } from '@tillit/problem'
import { scopeType } from '@tillit/schemas'
import type { ClientIdentity } from '../city.ts'
import {
  type AuthorizationStart,
  beginAuthorization,
  finishAuthorization,
  type PendingAuthorization,
} from './authorization-request.ts'
import { collectDeferred } from './collect-deferred.ts'
import { type CredentialOffer, readCredentialOffer } from './credential-offer.ts'
import { type CredentialDescription, describeCredential } from './describe-credential.ts'
import { type IssuerMetadata, readIssuerMetadata } from './issuer-metadata.ts'
import { type Answer, declineRequest, proposeAnswer, sendAnswer } from './present.ts'
import { type PresentationRequest, readPresentationRequest } from './presentation-request.ts'
import { type Received, receiveCredentials } from './receive-credentials.ts'
import { requestTokenAsIdentity, requestTokenForOffer } from './request-token.ts'
import type { AttestKeys, WalletClient, WalletContext } from './wallet-context.ts'
import type { HeldCredential, KeyAlgorithm, WalletStore } from './wallet-store.ts'

export interface WalletOptions {
  store: WalletStore
  /** How DIDs of issuers and verifiers are resolved, and so which hosts may be asked. */
  resolveDid: ResolveDid
  /** How an authorization server knows this wallet; not needed for offers with a code. */
  client?: WalletClient
  /** For holders that are DIDs: organisations and devices. */
  identity?: ClientIdentity
  /** ES256, which HAIP 1.0 makes everybody understand, unless given. */
  keyAlgorithm?: KeyAlgorithm
  /** Says where the wallet keeps its keys, for issuers that want to know. */
  attestKeys?: AttestKeys
  /** Types of transaction data that the wallet's screen can show; those of consents unless given. */
  transactionDataTypes?: readonly string[]
  fetch?: typeof fetch
  now?: () => Date
}

/** What was offered, with what its issuer says of itself: enough to ask the person. Nothing was accepted yet. */
export interface OpenedOffer {
  readonly offer: CredentialOffer
  readonly metadata: IssuerMetadata
}

/** What a verifier asks, and what the wallet would answer. Nothing was sent yet. */
export interface OpenedRequest {
  readonly request: PresentationRequest
  readonly answer: Answer
}

export interface ReceiveOptions {
  /** The transaction code, where the offer asks for one. */
  txCode?: string
  /** Some of the offered credentials only. */
  configurationIds?: readonly string[]
  /** Several of each, with a key of its own each, so that verifiers cannot link them. */
  copies?: number
}

/**
 * A wallet: receives credentials by OpenID4VCI 1.0 and presents them by OpenID4VP 1.0, in the ways that HAIP 1.0 prescribes.
 * Opening an offer or a request decides nothing; what is shown between the two steps is what happens in the second.
 */
export interface Wallet {
  openOffer(link: string): Promise<OpenedOffer>
  /** Accepts an offer with a pre-authorized code. */
  receive(opened: OpenedOffer, options?: ReceiveOptions): Promise<Received>
  /** Begins in the browser, for an offer or for an issuer that was found otherwise. Keep `pending` until the browser is back. */
  beginInBrowser(
    opened: OpenedOffer | { issuer: string; configurationIds: readonly string[] },
  ): Promise<AuthorizationStart>
  finishInBrowser(pending: PendingAuthorization, redirectedTo: string, options?: { copies?: number }): Promise<Received>
  /** A DID asks for its own credentials, without a browser and without an offer. */
  receiveOwn(issuer: string, configurationIds: readonly string[]): Promise<Received>
  /** Credentials that were promised: asks for those whose time has come. */
  collect(): Promise<Received>
  list(options?: { readStatus?: ReadStatus }): Promise<readonly CredentialDescription[]>
  /** Removes a credential and its key. */
  forget(id: string): Promise<void>
  /** Throws Problem credential-not-held when the wallet has no answer. */
  openRequest(
    link: string,
    options?: { choose?: Readonly<Record<string, string>>; optionalSets?: readonly number[] },
  ): Promise<OpenedRequest>
  present(opened: OpenedRequest): Promise<{ redirectUri: string | null }>
  decline(opened: Pick<OpenedRequest, 'request'>): Promise<{ redirectUri: string | null }>
}

export function openWallet(options: WalletOptions): Wallet {
  const context: WalletContext = {
    store: options.store,
    resolveDid: options.resolveDid,
    fetch: options.fetch ?? ((...request) => fetch(...request)),
    now: options.now ?? (() => new Date()),
    client: options.client ?? null,
    identity: options.identity ?? null,
    keyAlgorithm: options.keyAlgorithm ?? 'ES256',
    attestKeys: options.attestKeys ?? null,
    transactionDataTypes: options.transactionDataTypes ?? [scopeType],
  }
  return {
    openOffer: (link) => openOffer(context, link),
    receive: (opened, chosen = {}) => receiveOffer(context, opened, chosen),
    beginInBrowser: (from) => begin(context, from),
    async finishInBrowser(pending, redirectedTo, { copies = 1 } = {}) {
      const { authorization, metadata } = await finishAuthorization(context, pending, redirectedTo)
      return receiveCredentials(context, metadata, authorization, {
        configurationIds: pending.configurationIds,
        copies,
      })
    },
    async receiveOwn(issuer, configurationIds) {
      if (context.identity === null) throw new TypeError('only a holder with an identity has credentials of its own')
      const metadata = await readIssuerMetadata(issuer, context)
      const authorization = await requestTokenAsIdentity(context, metadata)
      return receiveCredentials(context, metadata, authorization, { configurationIds, copies: 1 })
    },
    collect: () => collect(context),
    async list({ readStatus = null }: { readStatus?: ReadStatus | null } = {}) {
      const held = await context.store.listCredentials()
      return Promise.all(held.map((credential) => describeCredential(credential, { now: context.now(), readStatus })))
    },
    forget: (id) => forget(context, id),
    async openRequest(link, choice) {
      const request = await readPresentationRequest(link, context)
      return { request, answer: await proposeAnswer(context, request, choice) }
    },
    present: ({ request, answer }) => sendAnswer(context, request, answer),
    decline: ({ request }) => declineRequest(context, request),
  }
}

async function openOffer(context: WalletContext, link: string): Promise<OpenedOffer> {
  const offer = await readCredentialOffer(link, context)
  const { authorizationServer } = offer
  const metadata = await readIssuerMetadata(offer.credentialIssuer, context, { authorizationServer })
  const unknown = offer.configurationIds.find((id) => !metadata.configurations.has(id))
  if (unknown !== undefined)
    throw notOffered(`The issuer does not describe what is offered, or this wallet cannot keep it: ${unknown}`)
  return { offer, metadata }
}

async function receiveOffer(
  context: WalletContext,
  { offer, metadata }: OpenedOffer,
  { txCode, configurationIds = offer.configurationIds, copies = 1 }: ReceiveOptions,
): Promise<Received> {
  if (offer.preAuthorized === null) throw notOffered('The offer has no code: the person has to sign in with the issuer')
  if (configurationIds.some((id) => !offer.configurationIds.includes(id))) throw notOffered('That was not offered')
  const { code, txCode: hint } = offer.preAuthorized
  if (hint !== null && txCode === undefined)
    throw notOffered('The offer needs the code that the issuer sent another way')
  const grant = { code, txCode: hint === null ? null : (txCode ?? null), configurationIds }
  const authorization = await requestTokenForOffer(context, metadata, grant)
  return receiveCredentials(context, metadata, authorization, { configurationIds, copies })
}

async function begin(
  context: WalletContext,
  from: OpenedOffer | { issuer: string; configurationIds: readonly string[] },
): Promise<AuthorizationStart> {
  if ('issuer' in from) {
    const metadata = await readIssuerMetadata(from.issuer, context)
    return beginAuthorization(context, metadata, { configurationIds: from.configurationIds, issuerState: null })
  }
  const { offer, metadata } = from
  if (offer.authorizationCode === null) throw notOffered('The offer is not one for signing in')
  const { issuerState } = offer.authorizationCode
  return beginAuthorization(context, metadata, { configurationIds: offer.configurationIds, issuerState })
}

async function collect(context: WalletContext): Promise<Received> {
  const now = context.now().toISOString()
  const credentials: HeldCredential[] = []
  for (const deferred of await context.store.listDeferred()) {
    if (deferred.askAfter <= now) {
      const { credentialIssuer, authorizationServer } = deferred
      const metadata = await readIssuerMetadata(credentialIssuer, context, { authorizationServer })
      credentials.push(...((await collectDeferred(context, metadata, deferred)) ?? []))
    }
  }
  return { credentials, deferred: await context.store.listDeferred() }
}

async function forget({ store }: WalletContext, id: string): Promise<void> {
  const credentials = await store.listCredentials()
  const keyId = credentials.find((credential) => credential.id === id)?.keyId
  await store.removeCredential(id)
  const shared = credentials.some((credential) => credential.id !== id && credential.keyId === keyId)
  if (keyId !== undefined && !shared) await store.removeKey(keyId)
}

function notOffered(detail: string): Problem {
  return new Problem('invalid-credential-offer', { detail })
}
