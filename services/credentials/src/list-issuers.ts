import { credentialRules } from '@tillit/credential'
import type { CredentialType } from '@tillit/schemas'
import { requireRoot } from './issue-credential.ts'
import type { Context } from './ports.ts'

/** Who may issue a type now, in the order of their DIDs. */
export async function listIssuers(
  { store, authorityDid }: Pick<Context, 'store' | 'authorityDid'>,
  type: CredentialType,
  { after, limit }: { after: string; limit: number },
): Promise<{ issuers: string[]; next?: string }> {
  const rule = credentialRules[type].issuer
  switch (rule) {
    case 'authority':
      return { issuers: after < authorityDid ? [authorityDid] : [] }
    case 'root': {
      const rootDid = await requireRoot(store)
      return { issuers: after < rootDid ? [rootDid] : [] }
    }
    case 'root-or-utility':
      return pageOf(await store.activeWithRoles(['trust_registrar', 'utility'], after, limit), limit)
    case 'utility':
    case 'eligible_party':
      return pageOf(await store.activeWithRoles([rule], after, limit), limit)
  }
}

function pageOf(issuers: string[], limit: number): { issuers: string[]; next?: string } {
  const last = issuers.length === limit ? issuers.at(-1) : undefined
  return { issuers, ...(last === undefined ? {} : { next: last }) }
}
