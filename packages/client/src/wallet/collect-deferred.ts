import { Problem } from '@tillit/problem'
import { openDpopSession } from './dpop.ts'
import { configurationOf, type IssuerMetadata } from './issuer-metadata.ts'
import { keepIssued } from './keep-issued.ts'
import { newLocalId } from './random-text.ts'
import { type Issuance, requestDeferred } from './request-credentials.ts'
import { type Authorization, refreshToken, requestTokenAsIdentity } from './request-token.ts'
import type { WalletContext } from './wallet-context.ts'
import type { DeferredCredential, HeldCredential } from './wallet-store.ts'

export interface Promised {
  metadata: IssuerMetadata
  authorization: Authorization
  configurationId: string
  keyIds: readonly string[]
  issuance: Issuance & { kind: 'deferred' }
}

/** Keeps what is needed to ask for it later. */
export async function keepPromise(context: WalletContext, promised: Promised): Promise<DeferredCredential> {
  const { metadata, authorization, configurationId, keyIds, issuance } = promised
  const deferred: DeferredCredential = {
    id: newLocalId(),
    credentialIssuer: metadata.credentialIssuer,
    authorizationServer: metadata.authorizationServer.issuer,
    configurationId,
    transactionId: issuance.transactionId,
    keyIds,
    accessToken: authorization.accessToken,
    refreshToken: authorization.refreshToken,
    dpopKeyId: authorization.dpopKeyId,
    askAfter: laterBy(context, issuance.intervalSeconds),
  }
  await context.store.addDeferred(deferred)
  return deferred
}

/** Asks once for a credential that was promised. Null: it is not there yet. Throws what receiving it at once would. */
export async function collectDeferred(
  context: WalletContext,
  metadata: IssuerMetadata,
  deferred: DeferredCredential,
): Promise<readonly HeldCredential[] | null> {
  const configuration = configurationOf(metadata, deferred.configurationId)
  const authorization = await authorizationFor(context, metadata, deferred)
  const issuance = await requestDeferred(context, metadata, authorization, deferred.transactionId)
  if (issuance.kind === 'deferred') {
    const { accessToken, refreshToken } = authorization
    const askAfter = laterBy(context, issuance.intervalSeconds)
    await context.store.addDeferred({ ...deferred, accessToken, refreshToken, askAfter })
    return null
  }
  try {
    const { keyIds } = deferred
    return await keepIssued(context, metadata, authorization, { configuration, keyIds, issuance })
  } finally {
    await endPromise(context, deferred)
  }
}

/** The issuer gives it once, so that there is nothing to ask for any more; its token may serve another promise. */
async function endPromise({ store }: WalletContext, { id, dpopKeyId }: DeferredCredential): Promise<void> {
  await store.removeDeferred(id)
  const others = await store.listDeferred()
  if (!others.some((other) => other.dpopKeyId === dpopKeyId)) await store.removeKey(dpopKeyId)
}

/** Access tokens live for minutes, a promise for days: a DID signs in again, a wallet uses its refresh token. */
async function authorizationFor(
  context: WalletContext,
  metadata: IssuerMetadata,
  { refreshToken: refresh, accessToken, dpopKeyId }: DeferredCredential,
): Promise<Authorization> {
  if (context.identity !== null) return requestTokenAsIdentity(context, metadata)
  if (refresh !== null) return refreshToken(context, metadata, { refreshToken: refresh, dpopKeyId })
  const key = await context.store.findKey(dpopKeyId)
  if (key === null) throw new Problem('key-not-bound', { detail: 'The wallet no longer has the key of this issuance' })
  const dpop = openDpopSession(key.signer)
  return { accessToken, refreshToken: null, dpop, dpopKeyId, credentialIdentifiers: new Map() }
}

function laterBy({ now }: WalletContext, seconds: number): string {
  return new Date(now().getTime() + seconds * 1000).toISOString()
}
