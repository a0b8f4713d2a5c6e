import { isProblem, Problem } from '@tillit/problem'
import type { WitnessPeer, WitnessReply } from './witness.ts'

/** A reply is a few signature lines or a size; post-quantum signatures are nearly 5 kB each. */
const maxReplyBytes = 64_000

export interface HttpWitness {
  /** The witness's submission prefix (C2SP tlog-witness). */
  readonly url: string
  readonly timeoutMilliseconds: number
}

/**
 * A witness behind HTTP. Whatever it answers is given back, to be judged by the caller; no redirect is followed. Its calls
 * throw Problem witness-unavailable when there is no answer in time, or none of a reasonable size. Throws Problem
 * invalid-trust-policy when the URL is none.
 */
export function httpWitnessPeer({ url, timeoutMilliseconds }: HttpWitness): WitnessPeer {
  const endpoint = parsePrefix(url)
  return {
    async addCheckpoint(body, signal) {
      const timeout = AbortSignal.timeout(timeoutMilliseconds)
      try {
        const reply = await fetch(endpoint, {
          method: 'POST',
          redirect: 'error',
          headers: { 'content-type': 'text/plain; charset=utf-8' },
          body,
          signal: signal === undefined ? timeout : AbortSignal.any([timeout, signal]),
        })
        return await readReply(reply)
      } catch (cause) {
        // Who called it off wants to hear their own reason.
        signal?.throwIfAborted()
        if (isProblem(cause)) throw cause
        throw unavailable('The witness did not answer', cause)
      }
    },
  }
}

function parsePrefix(url: string): URL {
  const prefix = URL.canParse(url) ? new URL(url) : null
  if (prefix === null || !['http:', 'https:'].includes(prefix.protocol) || prefix.search !== '' || prefix.hash !== '')
    throw new Problem('invalid-trust-policy', { detail: `${url} is not the address of a witness` })
  return new URL(`${prefix.href.replace(/\/+$/, '')}/add-checkpoint`)
}

async function readReply(reply: Response): Promise<WitnessReply> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let body = ''
  let bytes = 0
  // Leaving the loop early cancels the stream, and with it the connection.
  for await (const chunk of reply.body ?? []) {
    bytes += chunk.length
    if (bytes > maxReplyBytes) throw unavailable('The answer of the witness is too long')
    body += decoder.decode(chunk, { stream: true })
  }
  body += decoder.decode()
  return { status: reply.status, contentType: reply.headers.get('content-type') ?? '', body }
}

function unavailable(detail: string, cause?: unknown): Problem {
  return new Problem('witness-unavailable', { detail, cause })
}
