import { sha256, toHex, utf8 } from '@tillit/codec'

export interface TextFile {
  readonly text: string
  readonly contentType: string
  /** Strong: the same for the same bytes only. */
  readonly etag: string
}

export interface Conditions {
  readonly 'if-none-match'?: string | undefined
  readonly 'if-range'?: string | string[] | undefined
  readonly range?: string | undefined
}

interface Reply {
  code(status: number): Reply
  headers(values: Record<string, string>): Reply
  send(body?: Buffer): unknown
}

/**
 * Answers with the file, a part of it, or that it is the one that the client has (RFC 9110 sections 13 and 14). One range of
 * bytes is given as asked; of several, or of what is not understood, the whole file is a right answer.
 */
export function serveText({ text, contentType, etag }: TextFile, conditions: Conditions, reply: Reply): unknown {
  if (matches(conditions['if-none-match'], etag)) return sendUnchanged(etag, reply)
  reply.headers(commonHeaders(etag))
  const body = Buffer.from(text)
  reply.headers({ 'content-type': contentType })
  // RFC 9110 section 13.1.5: a part only of the very file that the client has the rest of.
  const ranged = conditions['if-range'] === undefined || conditions['if-range'] === etag
  const range = ranged ? readRange(conditions.range, body.length) : null
  if (range === null) return reply.send(body)
  if (range === 'unsatisfiable')
    return reply
      .code(416)
      .headers({ 'content-range': `bytes */${body.length}` })
      .send(Buffer.alloc(0))
  const { first, last } = range
  return reply
    .code(206)
    .headers({ 'content-range': `bytes ${first}-${last}/${body.length}` })
    .send(body.subarray(first, last + 1))
}

/** The client has the file already. */
export function sendUnchanged(etag: string, reply: Reply): unknown {
  return reply.headers(commonHeaders(etag)).code(304).send()
}

function commonHeaders(etag: string): Record<string, string> {
  return { etag, 'accept-ranges': 'bytes', 'cache-control': 'no-cache' }
}

/** A strong entity tag for a text that has no version of its own. */
export function etagOf(text: string): string {
  return `"${toHex(sha256(utf8(text)).subarray(0, 16))}"`
}

/** Whether the client has the very bytes of this entity tag (If-None-Match). */
export function matches(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false
  return header.split(',').some((tag) => tag.trim() === '*' || tag.trim().replace(/^W\//, '') === etag)
}

/** RFC 9110 section 14.1.2, the first and last byte; null when the whole file is to be given. */
function readRange(
  header: string | undefined,
  length: number,
): { first: number; last: number } | 'unsatisfiable' | null {
  const [, from = '', to = ''] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header?.trim() ?? '') ?? []
  if (from === '' && to === '') return null
  if (from === '')
    return Number(to) === 0 ? 'unsatisfiable' : { first: Math.max(0, length - Number(to)), last: length - 1 }
  if (to !== '' && Number(to) < Number(from)) return null
  if (Number(from) >= length) return 'unsatisfiable'
  return { first: Number(from), last: Math.min(to === '' ? length - 1 : Number(to), length - 1) }
}
