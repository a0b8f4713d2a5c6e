import type { FastifyBaseLogger } from 'fastify'
import { destination, pino } from 'pino'

/** Whatever looks like an identifier of a person, a thing or a secret leaves no trace in the logs. */
const sensitive =
  /did:[a-z0-9]+:[^\s"',)]+|\b(?:cust|mp|perm|ar|offer|vpr?)_[A-Za-z0-9_-]{22}\b|\b\d{18}\b|eyJ[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_~-]+)*/g

/** Structured logs on standard error without personal data: only named fields are written, and their text is redacted. */
export function createLogger(level: string): FastifyBaseLogger {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      serializers: { err: serializeError, req: () => undefined, res: () => undefined },
      hooks: {
        streamWrite: (line: string) => redact(line),
      },
    },
    destination(2),
  )
}

export function redact(text: string): string {
  return text.replace(sensitive, '[redacted]')
}

/** Name, code and stack; never the fields of a database error, whose details quote values. */
function serializeError(error: unknown): object {
  if (!(error instanceof Error)) return { message: 'not an error' }
  const code = 'code' in error && typeof error.code === 'string' ? { code: error.code } : {}
  const cause = error.cause instanceof Error ? { cause: serializeError(error.cause) } : {}
  return { name: error.name, message: error.message, ...code, stack: error.stack, ...cause }
}
