import type { LookupAddress } from 'node:dns'
import { lookup as lookupName } from 'node:dns/promises'
import type { IncomingMessage } from 'node:http'
import { request } from 'node:https'
import { isIP, type LookupFunction } from 'node:net'
import { isProblem, Problem } from '@tillit/problem'
import { isPublicAddress } from './public-address.ts'
import { createTurns } from './turns.ts'

/** Questions to one foreign host under way at once, and how many more wait: a slow host must not hold all others up. */
const hostLimits = { atOnce: 4, waiting: 64 }
/** To all of them. */
const allLimits = { atOnce: 16, waiting: 256 }
const maxHeaderBytes = 16 * 1024

export interface ForeignLimits {
  readonly maxBytes: number
  readonly timeoutMilliseconds: number
}

export interface ForeignBytes {
  readonly bytes: Uint8Array
  /** As the host says; nothing of it is checked. */
  readonly contentType: string | null
}

/** Both give null when the host says there is none (404, 410). */
export interface ForeignHosts {
  readonly fetchText: (url: URL, limits: ForeignLimits) => Promise<string | null>
  readonly fetchBytes: (url: URL, limits: ForeignLimits) => Promise<ForeignBytes | null>
}

export interface ForeignFetchOptions {
  /** Resolves names; the system's resolver by default. */
  readonly lookup?: (host: string) => Promise<readonly LookupAddress[]>
  /** Addresses that may be connected to; those of the public internet by default. */
  readonly mayConnect?: (address: string) => boolean
  /** Certificate authorities (PEM) in place of the well-known ones. */
  readonly ca?: string
}

/**
 * Fetches from foreign hosts over https, only from those that the operator listed: a DID in a request must not make this
 * city talk to addresses of the requester's choice. So no redirect is followed, and a listed name that leads to a private or
 * local address is refused; the connection goes to the very address that was looked at. Compressed answers are refused.
 * Throws Problem did-not-found for hosts that are not listed, did-resolution-failed.
 */
export function createForeignHosts(allowedHosts: readonly string[], options: ForeignFetchOptions = {}): ForeignHosts {
  const allowed = new Set(allowedHosts)
  const takeTurn = createTurns(hostLimits)
  const takeTurnOfAll = createTurns(allLimits)
  const fetchAs = async <T>(url: URL, limits: ForeignLimits, read: Read<T>): Promise<T | null> => {
    if (url.protocol !== 'https:' || !allowed.has(url.host) || isIP(url.hostname) !== 0 || url.hostname.startsWith('['))
      throw new Problem('did-not-found', { detail: 'The host of the DID is not one that this city asks' })
    try {
      return await takeTurn(url.host, () => takeTurnOfAll('all', () => ask(url, limits, { ...options, read })))
    } catch (error) {
      if (isProblem(error, 'too-many-requests')) throw failed('Too much is being asked of the host of the DID', error)
      throw error
    }
  }
  return {
    fetchText: (url, limits) => fetchAs(url, limits, readText),
    fetchBytes: (url, limits) => fetchAs(url, limits, readBytes),
  }
}

type Read<T> = (reply: IncomingMessage, maxBytes: number) => Promise<T>

async function ask<T>(
  url: URL,
  limits: ForeignLimits,
  { read, ...options }: ForeignFetchOptions & { read: Read<T> },
): Promise<T | null> {
  // One bound for everything: name, connection, headers and the last byte of the body.
  const signal = AbortSignal.timeout(limits.timeoutMilliseconds)
  const reply = await open(url, signal, options)
  try {
    const status = reply.statusCode ?? 0
    if (status === 404 || status === 410) return null
    if (status !== 200) throw failed(`The host of the DID answered ${status}`)
    const encoding = reply.headers['content-encoding'] ?? 'identity'
    if (encoding !== 'identity')
      throw failed('The host of the DID answered with a content encoding that was not asked for')
    return await read(reply, limits.maxBytes)
  } finally {
    reply.destroy()
  }
}

function open(url: URL, signal: AbortSignal, { ca, ...options }: ForeignFetchOptions): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const asking = request(url, {
      method: 'GET',
      // A connection of its own: one that is kept could lead to an address that was not looked at.
      agent: false,
      headers: {
        accept: 'text/jsonl, application/did+json, application/json;q=0.9, */*;q=0.1',
        'accept-encoding': 'identity',
        connection: 'close',
      },
      lookup: pinnedLookup(options),
      maxHeaderSize: maxHeaderBytes,
      signal,
      ...(ca === undefined ? {} : { ca }),
    })
    asking.once('response', resolve)
    asking.on('error', (cause) =>
      reject(cause instanceof Problem ? cause : failed('The host of the DID did not answer', cause)),
    )
    asking.end()
  })
}

/** Looks a name up once and gives only what may be connected to; the socket connects to just that. */
function pinnedLookup({ lookup = lookupAll, mayConnect = isPublicAddress }: ForeignFetchOptions): LookupFunction {
  return (host, { all }, callback) => {
    lookup(host).then(
      (addresses) => {
        const [first] = addresses
        // One address that is not public makes the name suspect altogether.
        if (first === undefined || !addresses.every(({ address }) => mayConnect(address)))
          return callback(failed('The host of the DID is at an address that this city does not ask'), '', 4)
        if (all === true) return callback(null, [...addresses])
        callback(null, first.address, first.family)
      },
      (error: unknown) => callback(failed('The name of the DID’s host is not known', error), '', 4),
    )
  }
}

function lookupAll(host: string): Promise<LookupAddress[]> {
  return lookupName(host, { all: true })
}

async function readBytes(reply: IncomingMessage, maxBytes: number): Promise<ForeignBytes> {
  const chunks: Uint8Array[] = []
  let length = 0
  try {
    for await (const chunk of reply) {
      length += chunk.length
      if (length > maxBytes) throw failed('The answer of the DID’s host is too long')
      chunks.push(chunk)
    }
  } catch (cause) {
    if (cause instanceof Problem) throw cause
    throw failed('The answer of the DID’s host could not be read', cause)
  }
  return { bytes: Buffer.concat(chunks), contentType: reply.headers['content-type'] ?? null }
}

async function readText(reply: IncomingMessage, maxBytes: number): Promise<string> {
  const { bytes } = await readBytes(reply, maxBytes)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw failed('The answer of the DID’s host is no text', cause)
  }
}

function failed(detail: string, cause?: unknown): Problem {
  return new Problem('did-resolution-failed', { detail, cause })
}
