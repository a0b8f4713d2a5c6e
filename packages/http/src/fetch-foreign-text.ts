import { Problem } from '@tillit/problem'

export interface ForeignLimits {
  readonly maxBytes: number
  readonly timeoutMilliseconds: number
}

/**
 * Fetches text from foreign hosts over https, only from those that the operator listed: a DID in a request must not make this
 * city talk to addresses of the requester's choice. No redirect is followed. Null when the host says there is none (404, 410).
 * Throws Problem did-resolution-failed.
 */
export function createForeignFetch(
  allowedHosts: readonly string[],
): (url: URL, limits: ForeignLimits) => Promise<string | null> {
  const allowed = new Set(allowedHosts)
  return async (url, limits) => {
    if (url.protocol !== 'https:' || !allowed.has(url.host))
      throw failed('The host of the DID is not one that this city asks')
    const signal = AbortSignal.timeout(limits.timeoutMilliseconds)
    let reply: Response
    try {
      reply = await fetch(url, {
        redirect: 'error',
        signal,
        headers: { accept: 'application/did+json, application/json, text/jsonl' },
      })
    } catch (cause) {
      throw failed('The host of the DID did not answer', cause)
    }
    if (reply.status === 404 || reply.status === 410) return null
    if (!reply.ok || reply.body === null) throw failed(`The host of the DID answered ${reply.status}`)
    return readLimited(reply.body, limits.maxBytes)
  }
}

async function readLimited(body: ReadableStream<Uint8Array>, maxBytes: number): Promise<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let text = ''
  let bytes = 0
  try {
    for await (const chunk of body) {
      bytes += chunk.length
      if (bytes > maxBytes) throw failed('The answer of the DID’s host is too long')
      text += decoder.decode(chunk, { stream: true })
    }
    return text + decoder.decode()
  } catch (cause) {
    if (cause instanceof Problem) throw cause
    throw failed('The answer of the DID’s host could not be read', cause)
  }
}

function failed(detail: string, cause?: unknown): Problem {
  return new Problem('did-resolution-failed', { detail, cause })
}
