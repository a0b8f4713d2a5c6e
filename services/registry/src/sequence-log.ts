import { appendLeaves, leafHash, readEdge, rootOfEdge, signCheckpoint } from '@tillit/log'
import type { LogStore } from './log-store.ts'
import type { RegistryPorts } from './ports.ts'

/** C2SP witnesses and readers gain nothing from more. */
const checkpointIntervalMs = 1000

/**
 * Moves commitments from the services' outboxes into the log and writes the tiles that change. Any number of processes may
 * call it: each pass holds the sequencing lock and starts from what is committed, so the log cannot fork. Gives how many
 * entries were appended; there may be more.
 */
export async function sequenceOutboxes(log: LogStore, { now }: Pick<RegistryPorts, 'now'>): Promise<number> {
  return log.sequence(async (writer) => {
    // A crash anywhere in here rolls back everything: the outbox rows are back, and the next pass takes them.
    const commitments = await writer.takeFromOutboxes()
    if (commitments.length === 0) return 0
    const size = await writer.readSize()
    const edge = await readEdge(size, writer.readTiles)
    const { changed } = appendLeaves(edge, commitments.map(leafHash))
    await writer.insertLeaves(size, commitments, now())
    await writer.putTiles(changed)
    return commitments.length
    // A crash after the commit leaves entries that no checkpoint covers yet; the next pass signs one.
  })
}

/**
 * Signs a checkpoint when the log has grown, at most once a second. Gives whether it did. The signature covers committed
 * leaves only, so no checkpoint ever speaks of a tree that the database could lose again by a rollback.
 */
export async function signNewCheckpoint(
  log: LogStore,
  { now, logOrigin, logSigner }: Pick<RegistryPorts, 'now' | 'logOrigin' | 'logSigner'>,
): Promise<boolean> {
  return log.sequence(async (writer) => {
    const newest = await writer.newestCheckpoint()
    const size = await writer.readSize()
    if (newest !== null && newest.size === size) return false
    const signedAt = now()
    const age = newest === null ? checkpointIntervalMs : signedAt.getTime() - newest.signedAt.getTime()
    // A clock that was set back must not silence the log, so only a short past counts as "just signed".
    if (age >= 0 && age < checkpointIntervalMs) return false
    const root = rootOfEdge(await readEdge(size, writer.readTiles))
    const note = await signCheckpoint({ origin: logOrigin, size, root }, logSigner)
    // A crash before the commit loses a note that nobody saw; the next pass signs the same tree or a larger one.
    await writer.insertCheckpoint({ size, root, note, signedAt })
    return true
  })
}
