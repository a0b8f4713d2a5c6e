import { setTimeout as delay } from 'node:timers/promises'
import type { LogEntryKind } from '@tillit/schemas'
import pg from 'pg'

/** Where each service keeps what opens its leaves. */
const openings: Record<LogEntryKind, string> = {
  did: 'registry.did_entries',
  'credential-status': 'credentials.status_events',
  'key-compromise': 'credentials.compromised_keys',
  'permission-event': 'permissions.permission_events',
  'access-record': 'metering.access_records',
  'reading-batch': 'metering.device_batches',
}
const outboxes = ['registry', 'credentials', 'authorization', 'permissions', 'metering']

const longestWaitMilliseconds = 30_000
const pollMilliseconds = 250

export interface LoggedEntries {
  /** Entries of each kind. */
  counts: Record<string, number>
  /** Commitments that no sequencer took. */
  waiting: number
  /** Kinds of entries whose commitment the published log does not hold. */
  missing: string[]
}

/** Compares what the services of a city keep with its published log; waits a while for what is on its way there. */
export async function loggedEntries(databaseUrl: string): Promise<LoggedEntries> {
  const client = new pg.Client({ connectionString: databaseUrl })
  await client.connect()
  try {
    for (let waited = 0; ; waited += pollMilliseconds) {
      const found = await compare(client)
      if ((found.waiting === 0 && found.missing.length === 0) || waited > longestWaitMilliseconds) return found
      await delay(pollMilliseconds)
    }
  } finally {
    await client.end()
  }
}

async function compare(client: pg.Client): Promise<LoggedEntries> {
  const counts: Record<string, number> = {}
  const missing: string[] = []
  for (const [kind, table] of Object.entries(openings)) {
    const { rows } = await client.query<{ all: number; logged: number }>(`
      SELECT count(*)::int AS all, count(leaf.index)::int AS logged FROM ${table} AS entry
      LEFT JOIN registry.leaves AS leaf ON leaf.commitment = entry.commitment
        AND leaf.index < (SELECT coalesce(max(size), 0) FROM registry.published_checkpoints)`)
    const { all = 0, logged = 0 } = rows[0] ?? {}
    counts[kind] = all
    if (logged !== all) missing.push(kind)
  }
  let waiting = 0
  for (const schema of outboxes) {
    const { rows } = await client.query<{ waiting: number }>(`SELECT count(*)::int AS waiting FROM "${schema}".outbox`)
    waiting += rows[0]?.waiting ?? 0
  }
  return { counts, waiting, missing }
}
