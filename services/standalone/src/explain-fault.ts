import { inspect } from 'node:util'
import { CityError } from '@tillit/client'
import { problemOfDatabaseError, sqlState } from '@tillit/database'
import { redact } from '@tillit/http'
import { isProblem } from '@tillit/problem'
import type { Config } from './config.ts'

/** Fields of the data folder's fault: the file system's own words are clear enough once it is said where. */
const folderFaults = new Set(['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EEXIST', 'EISDIR', 'ENAMETOOLONG', 'ELOOP'])
const noRoom = new Set(['ENOSPC', 'EDQUOT'])

/** SQLSTATEs of a connection that the server refuses: wrong password, user or database. */
const refusedConnection = /^(28|3D000$)/

/** Why the city does not start, as one line for the operator; a fault that nobody expected keeps its stack. */
export function explainFault(error: unknown, config: Config | null): string {
  const state = sqlState(error)
  const code = systemCode(error)
  if (noRoom.has(code ?? '') || state === '53100' || (error instanceof CityError && error.code === 'storage-full'))
    return `There is no room left in ${config?.dataDir ?? 'the data folder'}; free some and start again`
  if (isProblem(error)) return redact(oneLine(error.message))
  if (state !== null && refusedConnection.test(state))
    return `DATABASE_URL does not open a database: ${redact(oneLine(messageOf(error)))}`
  if (problemOfDatabaseError(error) !== null)
    return `${config?.databaseUrl === null ? 'The database' : 'The database of DATABASE_URL'} cannot be reached: ${redact(oneLine(messageOf(error)))}`
  if (error instanceof CityError) return `The demonstration city could not be made: ${redact(oneLine(error.message))}`
  if (config !== null && folderFaults.has(code ?? ''))
    return `DATA_DIR ${config.dataDir} cannot be used: ${oneLine(messageOf(error))}`
  return redact(inspect(error))
}

function systemCode(error: unknown): string | null {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && 'syscall' in error
    ? error.code
    : null
}

/** Node tries every address of a name and reports them together, with a message of their own only. */
function messageOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return error.errors.map(messageOf).join('; ')
  return error instanceof Error ? error.message : String(error)
}

function oneLine(text: string): string {
  return text.trim().replaceAll(/\s*\n\s*/g, ' ')
}
