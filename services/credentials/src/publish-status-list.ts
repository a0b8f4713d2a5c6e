import { deflateSync } from 'node:zlib'
import { encodeStatusList, signStatusList } from '@tillit/credential'
import { Problem } from '@tillit/problem'
import type { Context } from './ports.ts'

/** How long a verifier may use its copy, in seconds: a revocation shows within this time. */
export const statusListTtlSeconds = 1

/** How long a signed list is valid, and after which time it is signed again, in milliseconds. */
const lifeMilliseconds = 60_000
const renewAfterMilliseconds = 30_000

export interface PublishedList {
  token: string
  etag: string
}

export function statusListUri(publicUrl: string, listId: number): string {
  return `${publicUrl}/credentials/status-lists/${listId}`
}

/** The list behind the address of one of our status lists, or null for any other address. */
export function listOfUri(publicUrl: string, uri: string): number | null {
  const match = /^([1-9][0-9]{0,8})$/.exec(uri.slice(statusListUri(publicUrl, 0).length - 1))
  return match && uri.startsWith(`${publicUrl}/credentials/status-lists/`) ? Number(match[1]) : null
}

/**
 * Gives signed lists. Each request asks the database for the list's version, so a change shows at once; signing again
 * happens only after a change or when half of the token's life is over. Throws Problem not-found.
 */
export function createStatusListPublisher(context: Context): (listId: number) => Promise<PublishedList> {
  const published = new Map<number, PublishedList & { version: number; signedAt: number }>()
  return async (listId) => {
    const version = await context.store.statusListVersion(listId)
    if (version === undefined) throw new Problem('not-found', { detail: 'No such status list' })
    const now = context.now()
    const known = published.get(listId)
    if (known?.version === version && Math.abs(now.getTime() - known.signedAt) < renewAfterMilliseconds) return known
    const list = await context.store.statusList(listId)
    const issuer = await context.issuers(context.authorityDid)
    if (!list || !issuer) throw new Problem('not-ready', { detail: 'The status list cannot be signed' })
    const token = await signStatusList({
      uri: statusListUri(context.publicUrl, listId),
      issuerDid: context.authorityDid,
      signer: issuer.signer,
      keyId: issuer.keyId,
      list: encodeStatusList({ bits: 2, bytes: list.bitmap }, deflateSync),
      issuedAt: now,
      expires: new Date(now.getTime() + lifeMilliseconds),
      ttlSeconds: statusListTtlSeconds,
    })
    const fresh = {
      token,
      etag: `"${listId}-${list.version}-${now.getTime()}"`,
      version: list.version,
      signedAt: now.getTime(),
    }
    published.set(listId, fresh)
    return fresh
  }
}
