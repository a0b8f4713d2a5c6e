import type { Caller } from '@tillit/http'
import { isProblem, Problem } from '@tillit/problem'
import type { CredentialResponse, PublicJwk } from '@tillit/schemas'
import type { Fact } from '../holder-facts.ts'
import { issueWithin } from '../issue-credential.ts'
import type { Context } from '../ports.ts'
import type { Writer } from '../store.ts'
import type { CredentialConfiguration } from './credential-configurations.ts'
import type { StoredOffer } from './issuance-store.ts'
import { newSecret } from './told-secret.ts'

/** How long a wallet may tell what became of what it received, in milliseconds: as long as it may renew it. */
const notificationLifeMilliseconds = 90 * 24 * 3600 * 1000

export interface IssuanceOrder {
  caller: Caller
  configuration: CredentialConfiguration
  keys: readonly PublicJwk[]
  /** Under which it is asked for; it may carry only what its maker may say. */
  offer: StoredOffer | null
}

/**
 * One credential for each key, all about the same, and the id under which the wallet tells what became of them. Throws Problem
 * credential-request-denied when the issuer may not say it now, and what issuing throws.
 */
export async function issueForKeys(
  writer: Writer,
  context: Context,
  { caller, configuration, keys, offer, fact }: IssuanceOrder & { fact: Fact },
): Promise<CredentialResponse> {
  const credentials: CredentialResponse['credentials'] = []
  const ids: string[] = []
  for (const jwk of keys) {
    const { id, credential } = await issueWithin(writer, context, {
      type: configuration.type,
      format: configuration.format,
      claims: fact.claims,
      holder: caller.kind === 'customer' ? { jwk } : { jwk, did: caller.id },
      ...(caller.kind === 'customer' ? { customerId: caller.id } : {}),
      ...(fact.expires === undefined ? {} : { expires: fact.expires }),
    }).catch(denyWhereForbidden)
    // Appendix A.1.2: a document stays a document.
    credentials.push({ credential: configuration.format === 'ldp_vc' ? JSON.parse(credential) : credential })
    ids.push(id)
  }
  const { secret, digest } = newSecret(context)
  await writer.addNotification({
    sha256: digest,
    holder: caller.id,
    credential_ids: ids,
    expires_at: new Date(context.now().getTime() + notificationLifeMilliseconds),
  })
  if (offer !== null) await writer.markRedeemed(offer.id, context.now())
  return { credentials, notification_id: secret }
}

function denyWhereForbidden(cause: unknown): never {
  if (!isProblem(cause) || (cause.status !== 403 && cause.status !== 404)) throw cause
  throw new Problem('credential-request-denied', { detail: cause.message, cause })
}
