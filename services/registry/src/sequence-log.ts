import { appendLeaves, leafHash, logEntry, readEdge } from '@tillit/log'
import { verifyHead, verifyNewestEntries } from './check-log.ts'
import type { LogStore, LogWriter, SignedCheckpoint } from './log-store.ts'
import type { RegistryPorts } from './ports.ts'
import { signWithAll, signWithMissing } from './sign-with-all.ts'

/** C2SP witnesses and readers gain nothing from more. */
const checkpointIntervalMs = 1000

/** What a process makes sure of before it touches the log. Throws Problem log-inconsistent. */
export async function verifyStoredLog(log: LogStore): Promise<void> {
  await log.sequence(async (writer) => verifyNewestEntries(await verifyHead(writer), writer))
}

/**
 * Moves commitments from the services' outboxes into the log and writes the tiles that change. Any number of processes may
 * call it: each pass holds the sequencing lock and starts from what is committed, so the log cannot fork. Gives how many
 * entries were appended; there may be more.
 */
export async function sequenceOutboxes(log: LogStore, { now }: Pick<RegistryPorts, 'now'>): Promise<number> {
  return log.sequence(async (writer) => {
    // A crash anywhere in here rolls back everything: the outbox rows are back, and the next pass takes them.
    const leaves = await writer.takeFromOutboxes()
    if (leaves.length === 0) return 0
    const size = await writer.readSize()
    const edge = await readEdge(size, writer.readTiles)
    const entries = leaves.map(({ commitment, publicSalt }) => logEntry(commitment, publicSalt))
    const { changed } = appendLeaves(edge, entries.map(leafHash))
    await writer.insertLeaves(size, leaves, now())
    await writer.putTiles(changed)
    return leaves.length
    // A crash after the commit leaves entries that no checkpoint covers yet; the next pass signs one.
  })
}

/**
 * Signs a checkpoint when the log has grown, at most once a second, and the newest one again when the log has a key that did
 * not sign it. Gives whether it did. The signature covers committed leaves only, so no checkpoint ever speaks of a tree that
 * the database could lose again by a rollback; and it is stored before any witness sees it, so no other tree of its size is
 * ever signed. Throws Problem log-inconsistent.
 */
export async function signNewCheckpoint(
  log: LogStore,
  ports: Pick<RegistryPorts, 'now' | 'logOrigin' | 'logSigners'>,
): Promise<boolean> {
  const { now, logOrigin, logSigners } = ports
  return log.sequence(async (writer) => {
    const newest = await writer.newestSigned()
    // An empty tree has nothing to prove, and not every cosignature can speak of one.
    if ((await writer.readSize()) === (newest?.size ?? 0)) return newest !== null && signAgain(newest, writer, ports)
    const signedAt = now()
    const age = newest === null ? checkpointIntervalMs : signedAt.getTime() - newest.signedAt.getTime()
    // A clock that was set back must not silence the log, so only a short past counts as "just signed".
    if (age >= 0 && age < checkpointIntervalMs) return false
    const head = await verifyHead(writer)
    const note = await signWithAll({ origin: logOrigin, ...head }, logSigners)
    // A crash before the commit loses a note that nobody saw; the next pass signs the same tree or a larger one.
    await writer.insertCheckpoint({ ...head, note, signedAt })
    return true
    // A crash after the commit leaves a checkpoint that no witness saw; the publisher takes it from here.
  })
}

/** A log that is quiet while its key changes has to show the new key too: who knows no other could not verify it. */
async function signAgain(
  newest: SignedCheckpoint,
  writer: LogWriter,
  { logOrigin, logSigners }: Pick<RegistryPorts, 'logOrigin' | 'logSigners'>,
): Promise<boolean> {
  const note = await signWithMissing(newest.note, { origin: logOrigin, ...newest }, logSigners)
  if (note === newest.note) return false
  // Each signature says that the tree is so; the tiles have to say it still.
  await verifyHead(writer)
  await writer.replaceNote(newest.size, note)
  return true
}
