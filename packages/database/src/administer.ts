import pg from 'pg'
import { connectTimeoutMilliseconds } from './connect.ts'

/** The same server and user, another database. */
export function withDatabase(url: string, database: string): string {
  return url.replace(/^(postgres(?:ql)?:\/\/[^/]*\/)[^?]*/, `$1${database}`)
}

/** Runs one statement outside a transaction, as the administrator. */
export async function administer(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: connectTimeoutMilliseconds })
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}
