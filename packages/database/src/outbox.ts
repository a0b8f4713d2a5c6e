import { type Kysely, sql } from 'kysely'
import type { ServiceSchema } from './connect.ts'

/** The channel on which the log's sequencer is woken. A lost notification only delays it to its next poll. */
export const outboxChannel = 'tillit_outbox'

/**
 * Puts a commitment (32 bytes) into the service's outbox, in the caller's transaction: it reaches the log exactly when the
 * transaction commits.
 */
export async function addToOutbox<Tables>(
  transaction: Kysely<Tables>,
  schema: ServiceSchema,
  leaf: { kind: string; commitment: Uint8Array },
): Promise<void> {
  await sql`
    WITH leaf AS (
      INSERT INTO ${sql.table(`${schema}.outbox`)} (kind, commitment) VALUES (${leaf.kind}, ${Buffer.from(leaf.commitment)})
    )
    SELECT pg_notify(${outboxChannel}, '')`.execute(transaction)
}
