import { sha256, toBase64url, toHex, utf8 } from '@tillit/codec'
import { verifyKeyCompromise } from '@tillit/credential'
import { commit, saltBytes } from '@tillit/log'
import { Problem } from '@tillit/problem'
import type { CompromisedKeyRecord } from '@tillit/schemas'
import { requireRoot } from './issue-credential.ts'
import type { Context } from './ports.ts'
import type { CompromisedKeyRow } from './tables.ts'

/** How old a report may be when it is handed in, and how far clocks may differ, in seconds. */
const lifeSeconds = 300
/**
 * Reports of one DID that are taken, since every verifier reads them all. From the registrar more are: whoever has a key could use
 * them up, so that nobody reports that one.
 */
const maxKeys = 64

/**
 * Takes a signed report that a key is compromised. From its commit on every verification refuses what the key signed, whenever
 * it says that it did, and the log holds that it was reported. Idempotent; nothing takes it back. Throws the Problems of
 * verifyKeyCompromise, not-found (whose keys nobody relies on here) and too-many-requests.
 */
export async function reportCompromisedKey(context: Context, statement: string): Promise<CompromisedKeyRecord> {
  const { store, resolveDid, now, randomBytes } = context
  const rootDid = await requireRoot(store)
  const { did, jkt, statedBy } = await verifyKeyCompromise(statement, {
    resolveDid,
    rootDid,
    now: now(),
    maxAgeSeconds: lifeSeconds,
  })
  if (did !== context.authorityDid && (await store.party(did)) === undefined) {
    throw new Problem('not-found', { detail: 'The trust registry does not know this organisation' })
  }
  const at = now()
  const entry = {
    event: 'key-compromised',
    did,
    jkt,
    actor: statedBy,
    at: at.toISOString(),
    statement_sha256: toHex(sha256(utf8(statement))),
  }
  const salt = randomBytes(saltBytes)
  const report = { did, jkt, statement, stated_by: statedBy, at, entry, salt, commitment: commit(salt, entry) }
  return store.write(async (writer) => {
    await writer.lockParty(did)
    const known = await writer.compromisedKeysOf(did)
    const same = known.find((key) => key.jkt === jkt)
    if (same) return toRecord(same)
    if (known.length >= maxKeys && statedBy !== rootDid) {
      throw new Problem('too-many-requests', {
        detail: 'Too many keys of this DID were reported; talk to the registrar',
      })
    }
    await writer.addCompromisedKey(report)
    return toRecord(report)
  })
}

/** What was reported about the keys of a DID. */
export async function listCompromisedKeys(
  { store }: Pick<Context, 'store'>,
  did: string,
): Promise<CompromisedKeyRecord[]> {
  return (await store.compromisedKeysOf(did)).map(toRecord)
}

function toRecord({
  did,
  jkt,
  stated_by,
  at,
  statement,
  entry,
  salt,
  commitment,
}: CompromisedKeyRow): CompromisedKeyRecord {
  return {
    did,
    jkt,
    stated_by,
    at: at.toISOString(),
    statement,
    opening: { kind: 'key-compromise', entry, salt: toBase64url(salt), commitment: toHex(commitment) },
  }
}
