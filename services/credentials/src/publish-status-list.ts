import { deflateSync, gzipSync } from 'node:zlib'
import {
  bitstringOf,
  encodeBitstring,
  encodeStatusList,
  type StatusPurpose,
  signBitstringStatusList,
  signStatusList,
} from '@tillit/credential'
import { Problem } from '@tillit/problem'
import type { Context, HostedIssuer } from './ports.ts'
import { bitstringListUri, statusListAggregationUri, statusListUri } from './status-list-uri.ts'

/** How long a verifier who is online may use its copy, in seconds: a revocation shows within this time. */
export const statusListTtlSeconds = 1

/** How long a list may serve verifiers who are offline; they state a shorter bound of their own. In milliseconds. */
export const statusListLifeMilliseconds = 24 * 3_600_000
/** After which time a list is signed again although nothing changed: verifiers who are online take none older than a minute. */
const renewAfterMilliseconds = 30_000

/** `token`: a Status List Token of both purposes; else a BitstringStatusListCredential of that purpose. */
export type StatusListForm = 'token' | StatusPurpose

export interface PublishedList {
  /** As it is sent: `statuslist+jwt` or `vc+jwt`. */
  jwt: string
  etag: string
}

interface Signed extends PublishedList {
  version: number
  signedAt: number
}

/**
 * Gives signed lists. Each request asks the database for the list's version, so a change shows at once; signing again
 * happens only after a change or when the list is half a minute old, and once for all who wait for it. Throws Problem
 * not-found.
 */
export function createStatusListPublisher(
  context: Pick<Context, 'store' | 'issuers' | 'now' | 'publicUrl' | 'authorityDid'>,
): (listId: number, form: StatusListForm) => Promise<PublishedList> {
  const published = new Map<string, Signed>()
  const underWay = new Map<string, Promise<Signed>>()

  const sign = async (listId: number, form: StatusListForm): Promise<Signed> => {
    const now = context.now()
    const list = await context.store.statusList(listId)
    const issuer = await context.issuers(context.authorityDid)
    if (!list || !issuer) throw new Problem('not-ready', { detail: 'The status list cannot be signed' })
    const jwt = await signList(context, { listId, form, bitmap: list.bitmap, issuer, now })
    const etag = `"${listId}-${form}-${list.version}-${now.getTime()}"`
    return { jwt, etag, version: list.version, signedAt: now.getTime() }
  }

  const signOnce = (key: string, listId: number, form: StatusListForm): Promise<Signed> => {
    const signing = sign(listId, form)
      .then((signed) => {
        published.set(key, signed)
        return signed
      })
      .finally(() => underWay.delete(key))
    underWay.set(key, signing)
    return signing
  }

  return async (listId, form) => {
    const version = await context.store.statusListVersion(listId)
    if (version === undefined) throw new Problem('not-found', { detail: 'No such status list' })
    const key = `${listId}/${form}`
    const serves = (list: Signed) =>
      list.version >= version && Math.abs(context.now().getTime() - list.signedAt) < renewAfterMilliseconds
    const known = published.get(key)
    if (known && serves(known)) return known
    for (;;) {
      const fresh = await (underWay.get(key) ?? signOnce(key, listId, form))
      // What was under way may have been read before the change that this request has to show; what begins now is not.
      if (serves(fresh)) return fresh
    }
  }
}

/** The work itself: from the bitmap to what is sent. */
function signList(
  { publicUrl, authorityDid }: Pick<Context, 'publicUrl' | 'authorityDid'>,
  list: { listId: number; form: StatusListForm; bitmap: Uint8Array; issuer: HostedIssuer; now: Date },
): Promise<string> {
  const { listId, form, bitmap, issuer, now } = list
  const about = {
    issuerDid: authorityDid,
    signer: issuer.signer,
    keyId: issuer.keyId,
    issuedAt: now,
    expires: new Date(now.getTime() + statusListLifeMilliseconds),
    ttlSeconds: statusListTtlSeconds,
  }
  const bits = { bits: 2, bytes: bitmap } as const
  if (form === 'token') {
    return signStatusList({
      ...about,
      uri: statusListUri(publicUrl, listId),
      list: encodeStatusList(bits, deflateSync),
      aggregationUri: statusListAggregationUri(publicUrl),
    })
  }
  return signBitstringStatusList({
    ...about,
    uri: bitstringListUri(publicUrl, listId, form),
    purpose: form,
    encodedList: encodeBitstring(bitstringOf(bits, form), gzipSync),
  })
}
