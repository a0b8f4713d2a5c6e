import { type RawBuilder, sql } from 'kysely'
import type pg from 'pg'

const marker = /^\s*\/\* prepared: ([a-z-]+) \*\//

/**
 * Put at the head of a fixed, frequent statement, it has PostgreSQL parse and plan the statement once for each connection instead
 * of each time. `name` belongs to one statement text only. Not for statements whose text varies: each would keep its plan.
 */
export function prepared(name: string): RawBuilder<unknown> {
  return sql.raw(`/* prepared: ${name} */`)
}

/** Sends the marked statements of this connection under their names (Kysely itself passes no name on). */
export function nameMarkedStatements(client: pg.PoolClient): void {
  const query: (...args: unknown[]) => unknown = client.query.bind(client)
  Object.assign(client, {
    query: (first: unknown, values: unknown, ...rest: unknown[]) => {
      const name = typeof first === 'string' ? marker.exec(first)?.[1] : undefined
      return name === undefined ? query(first, values, ...rest) : query({ name, text: first, values }, ...rest)
    },
  })
}
