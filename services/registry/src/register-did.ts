import { sqlState } from '@tillit/database'
import { parseDid } from '@tillit/did'
import { Problem } from '@tillit/problem'
import type { DidRegistration } from '@tillit/schemas'
import { type Accepted, type AcceptingPorts, acceptedBefore, acceptedNow, prepareEntry } from './accept-entry.ts'
import type { DidStore } from './did-store.ts'
import type { NewDid, TakenDid } from './did-writer.ts'
import { createGroupCommit, type HandIn } from './group-commit.ts'
import type { RegistryPorts } from './ports.ts'

const slugPattern = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}$/

/** Most first entries stored by one statement: enough to share a durable write, little enough that nobody waits long. */
const maxGroup = 1000
/** Most that wait: a few seconds of work. Whoever comes then is told to come again. */
const maxWaiting = 10_000

export type RegisterDid = (registration: DidRegistration) => Promise<Accepted>

/** Registers first entries; those that come at the same time are stored together. Construct one for each process. */
export function createRegistrar(store: DidStore, ports: AcceptingPorts & Pick<RegistryPorts, 'didHost'>): RegisterDid {
  const handIn = createGroupCommit((dids: readonly NewDid[]) => storeGroup(dids, store), {
    maxGroup,
    maxWaiting,
    spoiledByOne: isFaultOfData,
  })
  return (registration) => registerDid(registration, handIn, ports)
}

/**
 * Registers a self-issued did:webvh from its first entry. Registering the very same entry again gives the first answer.
 * Throws the Problems of nextDidState, invalid-did for a DID that does not live under /dids/ of this host, did-erased, and
 * did-conflict when the DID or its place is taken.
 */
async function registerDid(
  { entry, listed }: DidRegistration,
  handIn: HandIn<NewDid, Outcome>,
  ports: AcceptingPorts & Pick<RegistryPorts, 'didHost'>,
): Promise<Accepted> {
  const prepared = await prepareEntry(null, entry, { listed, ...ports })
  const did: NewDid = { ...prepared, slug: slugOf(prepared.did, ports.didHost) }
  const outcome = await handIn(did)
  switch (outcome.kind) {
    case 'stored':
      return acceptedNow(did)
    case 'erased':
      throw new Problem('did-erased')
    case 'place-taken':
      throw conflict('Another DID lives or lived at this place')
    case 'taken': {
      const { first, state } = outcome.by
      if (outcome.by.listed !== listed) throw conflict(`The DID is registered as ${listed ? 'not ' : ''}listed`)
      const before = acceptedBefore(first, entry, { listed, deactivated: state.deactivated, now: ports.now() })
      if (before === null) throw conflict('The DID is registered with another first entry')
      return before
    }
  }
}

type Outcome =
  | { readonly kind: 'stored' | 'place-taken' | 'erased' }
  | { readonly kind: 'taken'; readonly by: TakenDid }

async function storeGroup(dids: readonly NewDid[], store: DidStore): Promise<Outcome[]> {
  // Of the same DID twice in one group the first is stored; the second then finds it, as if it had come later.
  const firsts = new Map<string, NewDid>()
  for (const did of dids) if (!firsts.has(did.did)) firsts.set(did.did, did)
  const stored = await store.insertDids([...firsts.values()])
  const isStored = (did: NewDid) => stored.has(did.did) && firsts.get(did.did) === did
  const others = dids.filter((did) => !isStored(did))
  if (others.length === 0) return dids.map(() => ({ kind: 'stored' }))
  const taken = new Map((await store.readTaken(others)).map((by) => [by.did, by]))
  const erased = await store.readErased(others.map(({ did }) => did))
  return dids.map((did): Outcome => {
    if (isStored(did)) return { kind: 'stored' }
    const by = taken.get(did.did)
    if (by !== undefined) return { kind: 'taken', by }
    return { kind: erased.has(did.did) ? 'erased' : 'place-taken' }
  })
}

/** SQLSTATE classes 22 (data), 23 (constraint) and P0 (raised by a trigger): one row is wrong, not the database. */
function isFaultOfData(error: unknown): boolean {
  return /^(22|23|P0)/.test(sqlState(error) ?? '')
}

/** The last segment of `did:webvh:<scid>:<host>:dids:<slug>`. Throws Problem invalid-did for a DID that does not live so here. */
export function slugOf(did: string, didHost: string): string {
  const parsed = parseDid(did)
  if (parsed.method !== 'webvh') throw new Problem('invalid-did', { detail: 'Only did:webvh is registered here' })
  const { host, port, path } = parsed.place
  const [folder, slug, ...more] = path
  if (`${host}${port === null ? '' : `:${port}`}` !== didHost || folder !== 'dids' || !slug || more.length > 0) {
    throw new Problem('invalid-did', {
      detail: `Only DIDs of the form …:${didHost.replace(':', '%3A')}:dids:<name> live here`,
    })
  }
  if (!slugPattern.test(slug)) {
    throw new Problem('invalid-did', { detail: 'The name of the DID is letters, digits, dash, dot and underscore' })
  }
  return slug
}

function conflict(detail: string): Problem {
  return new Problem('did-conflict', { detail })
}
