import { Kysely, PostgresDialect } from 'kysely'
import pg from 'pg'
import { endInBoundedTime, keepSockets } from './end-pool.ts'
import { leaveSilentServer } from './leave-silent-server.ts'
import { nameMarkedStatements } from './prepared-statements.ts'

/** A service's handle: its pool runs as the service's own role, so PostgreSQL itself keeps services out of each other's tables. */
export type Database<Tables> = Kysely<Tables>

export const serviceSchemas = [
  'registry',
  'credentials',
  'authorization',
  'permissions',
  'metering',
  'portal',
  'verifier',
] as const
export type ServiceSchema = (typeof serviceSchemas)[number]

/** Longest wait for a free or new connection before the request is told that the database cannot be reached. */
export const connectTimeoutMilliseconds = 5_000

/** A statement that runs longer than this is cut: no request of ours may hold a connection for longer. */
const statementTimeoutMilliseconds = 20_000

/** A server that does not even say so by now hangs; it is less than the time that clients wait for us. */
const answerTimeoutMilliseconds = 25_000

export interface ConnectOptions {
  /** `postgresql://…`, also with `?host=/socket/folder`. */
  url: string
  schema: ServiceSchema
  maxConnections?: number
  /** Told of errors on idle connections (PostgreSQL went away); the pool opens new ones by itself. */
  onError: (error: Error) => void
}

/** Kysely over a pg pool that acts as the role of one service. `destroy()` closes it. */
export function connect<Tables>({ url, schema, maxConnections = 8, onError }: ConnectOptions): Database<Tables> {
  const sockets = keepSockets()
  const pool = new pg.Pool({
    connectionString: url,
    max: maxConnections,
    connectionTimeoutMillis: connectTimeoutMilliseconds,
    statement_timeout: statementTimeoutMilliseconds,
    query_timeout: answerTimeoutMilliseconds,
    idleTimeoutMillis: 30_000,
    application_name: `tillit-${schema}`,
    options: `-c role=${roleOf(schema)} -c search_path=pg_catalog -c timezone=UTC`,
    types: columnTypes,
    stream: sockets.open,
  })
  endInBoundedTime(pool, sockets)
  // Without a listener a lost connection kills the process: the pool listens to idle ones only, so those in use get one too.
  pool.on('error', onError)
  pool.on('connect', (client) => {
    client.on('error', onError)
    leaveSilentServer(client)
    nameMarkedStatements(client)
  })
  return new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) })
}

export function roleOf(schema: ServiceSchema): string {
  return `tillit_${schema}`
}

const int8 = 20

/** bigint as number (refused beyond 2^53); everything else as pg has it: numeric as string, timestamptz as Date, bytea as Buffer. */
export const columnTypes: pg.CustomTypesConfig = {
  getTypeParser(oid: number, format?: 'text' | 'binary') {
    if (oid === int8 && format !== 'binary') return safeInteger
    return pg.types.getTypeParser(oid, format)
  },
}

function safeInteger(text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value)) throw new RangeError('a bigint does not fit a safe integer')
  return value
}
