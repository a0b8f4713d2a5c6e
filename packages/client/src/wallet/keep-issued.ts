import type { Json } from '@tillit/codec'
import { authenticateSdJwtVc, vctOf } from '@tillit/credential'
import { parsePublicJwk, thumbprint } from '@tillit/keys'
import { isProblem, Problem } from '@tillit/problem'
import { CityError } from '../city.ts'
import type { CredentialConfiguration, IssuerMetadata } from './issuer-metadata.ts'
import { newLocalId } from './random-text.ts'
import { type Issuance, notifyIssuer } from './request-credentials.ts'
import type { Authorization } from './request-token.ts'
import type { WalletContext } from './wallet-context.ts'
import type { HeldCredential } from './wallet-store.ts'

export interface Delivered {
  configuration: CredentialConfiguration
  keyIds: readonly string[]
  issuance: Issuance & { kind: 'issued' }
}

/**
 * Checks what an issuer handed over, keeps it, and tells the issuer. Keys for which nothing was issued are removed. Throws Problem
 * invalid-credential and those of authenticateSdJwtVc; then nothing of it is kept.
 */
export async function keepIssued(
  context: WalletContext,
  metadata: IssuerMetadata,
  authorization: Authorization,
  { configuration, keyIds, issuance }: Delivered,
): Promise<HeldCredential[]> {
  const tell = async (event: 'credential_accepted' | 'credential_failure') => {
    if (issuance.notificationId === null) return
    const { notificationId } = issuance
    await notifyIssuer(context, metadata, authorization, { notificationId, event }).catch(ignoreRefusal)
  }
  let kept: HeldCredential[]
  try {
    kept = await Promise.all(
      issuance.credentials.map((credential) => checkIssued(context, credential, { metadata, configuration, keyIds })),
    )
  } catch (error) {
    for (const id of keyIds) await context.store.removeKey(id)
    await tell('credential_failure')
    throw error
  }
  for (const held of kept) await context.store.addCredential(held)
  for (const id of keyIds) if (!kept.some(({ keyId }) => keyId === id)) await context.store.removeKey(id)
  await tell('credential_accepted')
  return kept
}

/** Whether it is what was asked for: signed by its issuer, of the type that was named, bound to a key of this wallet. */
async function checkIssued(
  { resolveDid, now }: WalletContext,
  credential: Json,
  asked: { metadata: IssuerMetadata; configuration: CredentialConfiguration; keyIds: readonly string[] },
): Promise<HeldCredential> {
  if (typeof credential !== 'string') throw mismatch('The credential is not text')
  const authentic = await authenticateSdJwtVc(credential, { resolveDid, now: now() })
  if (vctOf(authentic.type) !== asked.configuration.vct)
    throw mismatch('The credential is of another type than was asked for')
  const keyId = thumbprint(parsePublicJwk({ ...authentic.holderJwk }))
  if (!asked.keyIds.includes(keyId)) throw mismatch('The credential is bound to a key that is not the wallet’s')
  return {
    id: newLocalId(),
    format: asked.configuration.format,
    credential,
    keyId,
    credentialIssuer: asked.metadata.credentialIssuer,
    configurationId: asked.configuration.id,
    receivedAt: now().toISOString(),
  }
}

/** The wallet has what it wanted; an issuer that does not take its thanks, or no longer answers, is no reason to fail. */
function ignoreRefusal(error: unknown): void {
  const isOfPeer = error instanceof CityError || isProblem(error)
  if (!isOfPeer && !isUnanswered(error)) throw error
}

/** What fetch throws without an answer, and when it takes too long. */
function isUnanswered(error: unknown): boolean {
  return error instanceof TypeError || error instanceof DOMException
}

function mismatch(detail: string): Problem {
  return new Problem('invalid-credential', { detail })
}
