import { signCompromisedKeys } from '@tillit/credential'
import { Problem } from '@tillit/problem'
import type { Context } from './ports.ts'
import { statusListLifeMilliseconds, statusListTtlSeconds } from './publish-status-list.ts'

/** The signed list of all compromised keys, as it is now: they are few. Throws Problem not-ready. */
export async function publishCompromisedKeys(context: Context): Promise<string> {
  const issuer = await context.issuers(context.authorityDid)
  if (!issuer) throw new Problem('not-ready', { detail: 'The list of compromised keys cannot be signed' })
  const now = context.now()
  return signCompromisedKeys({
    issuerDid: context.authorityDid,
    signer: issuer.signer,
    keyId: issuer.keyId,
    keys: await context.store.compromisedKeys(),
    issuedAt: now,
    expires: new Date(now.getTime() + statusListLifeMilliseconds),
    ttlSeconds: statusListTtlSeconds,
  })
}
