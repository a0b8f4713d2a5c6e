import { type Json, parseJson } from '@tillit/codec'
import { isProblem, Problem } from '@tillit/problem'
import { CityError } from '../city.ts'

const timeoutMilliseconds = 30_000
/** Far above any metadata, credential or request of a sane peer. */
const maxAnswerCharacters = 1024 * 1024

export interface Answer {
  readonly status: number
  readonly mediaType: string
  readonly text: string
  readonly headers: Headers
}

/**
 * Asks a peer of the wallet. Only over TLS (or on this machine), follows no redirect, bounds time and size. Throws Problem
 * invalid-request for a URL that may not be asked and what fetch throws when nobody answers; refusals are answers.
 */
export async function ask(send: typeof fetch, url: string, init: RequestInit = {}): Promise<Answer> {
  const reply = await send(checkedUrl(url), {
    ...init,
    // A redirect would take codes, tokens and personal data to a host that was never looked at.
    redirect: 'error',
    credentials: 'omit',
    referrerPolicy: 'no-referrer',
    signal: AbortSignal.timeout(timeoutMilliseconds),
  })
  const text = await reply.text()
  if (text.length > maxAnswerCharacters) throw new Problem('body-too-large', { detail: 'The answer is too long' })
  const mediaType = (reply.headers.get('content-type') ?? '').split(';')[0]?.trim().toLowerCase() ?? ''
  return { status: reply.status, mediaType, text, headers: reply.headers }
}

/** The URL, when a wallet may ask it. Throws Problem invalid-request. */
export function checkedUrl(text: string): string {
  if (URL.canParse(text)) {
    const url = new URL(text)
    const onThisMachine = ['127.0.0.1', '[::1]', 'localhost'].includes(url.hostname)
    const plain = url.protocol === 'http:' && onThisMachine
    if ((url.protocol === 'https:' || plain) && url.username === '' && url.password === '') return text
  }
  throw new Problem('invalid-request', { detail: 'The address is not one that a wallet may ask: https is needed' })
}

/** The answer's JSON. Throws CityError with the peer's error code when it refused, Problem invalid-json. */
export function jsonOf(answer: Answer): Json {
  if (answer.status >= 200 && answer.status < 300) return parseJson(answer.text)
  throw refusal(answer)
}

/** What a peer answered instead of the thing asked for: an OAuth error (RFC 6749 section 5.2) or a problem (RFC 9457). */
export function refusal(answer: Answer): CityError {
  const { error, error_description: words, code, detail } = refusalMembers(answer.text)
  const name = textOr(error, textOr(code, 'unknown'))
  return new CityError(answer.status, {
    code: name,
    detail: textOr(words, textOr(detail, `The answer is ${answer.status} ${name}`)),
  })
}

function refusalMembers(text: string): { [name: string]: Json } {
  try {
    const body = parseJson(text)
    return body !== null && typeof body === 'object' && !Array.isArray(body) ? body : {}
  } catch (error) {
    if (!isProblem(error)) throw error
    return {} // a proxy's page, say, is no JSON
  }
}

function textOr(value: Json | undefined, otherwise: string): string {
  return typeof value === 'string' ? value : otherwise
}
