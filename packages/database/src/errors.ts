import { Problem } from '@tillit/problem'
import pg from 'pg'
import { silentServerMessage } from './leave-silent-server.ts'

const connectionErrors = new Set(['ECONNREFUSED', 'ECONNRESET', 'ENOENT', 'EPIPE', 'ENOTFOUND', 'ETIMEDOUT', 'EACCES'])

/** The five-character SQLSTATE of a database error, or null. */
export function sqlState(error: unknown): string | null {
  return error instanceof pg.DatabaseError ? (error.code ?? null) : null
}

/** Whether the same transaction may succeed when it is run again: serialization failure or deadlock. */
export function retryable(error: unknown): boolean {
  const state = sqlState(error)
  return state === '40001' || state === '40P01'
}

/** Unique violation, optionally of one constraint. */
export function violatesUnique(error: unknown, constraint?: string): boolean {
  return (
    error instanceof pg.DatabaseError &&
    error.code === '23505' &&
    (constraint === undefined || error.constraint === constraint)
  )
}

/** The problem that a database error is to the caller (out of reach, full, cut), or null when it is a fault of ours. */
export function problemOfDatabaseError(error: unknown): Problem | null {
  const state = sqlState(error)
  if (state === '53100') return new Problem('storage-full', { cause: error })
  // 08: connection, 57P: shutting down or crashed, 53300: too many connections, 57014: statement timeout, 25006: read only
  if (
    state?.startsWith('08') ||
    state?.startsWith('57P') ||
    state === '53300' ||
    state === '57014' ||
    state === '25006'
  ) {
    return new Problem('database-unavailable', { cause: error })
  }
  // 22021, 22P05: U+0000, which PostgreSQL cannot store; 22007, 22008: a time outside its calendar. Only requests hold these.
  if (state === '22021' || state === '22P05' || state === '22007' || state === '22008') {
    return new Problem('invalid-request', {
      detail: 'A text holds the character U+0000, or a time is out of range',
      cause: error,
    })
  }
  if (error instanceof Error && isConnectionError(error)) return new Problem('database-unavailable', { cause: error })
  return null
}

function isConnectionError(error: Error): boolean {
  if ('code' in error && typeof error.code === 'string' && connectionErrors.has(error.code)) return 'syscall' in error
  return (
    error.message === silentServerMessage ||
    error.message === 'Client was closed and is not queryable' ||
    error.message === 'Connection terminated' ||
    error.message === 'Connection terminated unexpectedly' ||
    error.message === 'Connection terminated due to connection timeout' ||
    error.message === 'timeout exceeded when trying to connect' ||
    error.message.startsWith('Client has encountered a connection error')
  )
}
