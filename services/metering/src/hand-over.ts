import type { FastifyReply } from 'fastify'
import type { Answer } from './read-readings.ts'
import type { SeriesFormat } from './render-series.ts'

/** How long a client may take to receive its readings while a revocation may be waiting, in milliseconds. */
export const handOverMilliseconds = 10_000

/**
 * Sends an answer and waits until it has left this process or its connection is gone. A client that takes too long is cut
 * off, so that nobody can hold up a revocation by reading slowly.
 */
export async function handOver(
  reply: FastifyReply,
  answer: Answer,
  {
    format,
    limitMilliseconds = handOverMilliseconds,
  }: { format: SeriesFormat; limitMilliseconds?: number | undefined },
): Promise<void> {
  const { raw } = reply
  const over = new Promise<void>((resolve) => {
    if (raw.destroyed) resolve()
    raw.once('finish', resolve)
    raw.once('close', resolve)
  })
  const cut = setTimeout(() => raw.destroy(), limitMilliseconds)
  try {
    // A Buffer is sent as it is, so the bytes are exactly those of the access record.
    reply
      .header('tillit-access-record', answer.recordId)
      .type(format === 'text/csv' ? 'text/csv; charset=utf-8; header=present' : 'application/json; charset=utf-8')
      .send(Buffer.from(answer.body))
    await over
  } finally {
    clearTimeout(cut)
  }
}
