import { randomBytes } from 'node:crypto'
import { toHex } from '@tillit/codec'
import { addToOutbox, type Database } from '@tillit/database'
import { didKeyFor, updateDid, witnessEntry } from '@tillit/did'
import type { DidAccepted, DidLogEntry, Opening } from '@tillit/schemas'
import { expect } from 'vitest'
import type { RegistryTables } from '../../services/registry/src/index.ts'
import { newDid, newSigner } from '../../services/registry/src/registry.fixture.ts'
import type { RunningRegistry } from './registry-site.ts'

/** Something that a client wants done, and wants done once, however often it has to ask. */
interface Errand {
  readonly name: string
  ask(registry: RunningRegistry): Promise<{ status: number; body: string }>
  /** The entry that the registry accepts with it. */
  readonly entry?: DidLogEntry
  answer: string | null
}

/** Everybody who uses a registry: they try again until they are answered, and remember every answer. */
export interface Clients {
  /** Commitments of entries that were acknowledged. */
  readonly acknowledged: ReadonlySet<string>
  /** Of the entries that were acknowledged since this was asked last. */
  newOpenings(): Opening[]
  /** A round of every kind of write: registrations, an update, witness proofs, an erasure, an entry of another service. */
  newRound(): Promise<void>
  /** Asks for everything of this round, in order, up to what is not answered; true when all of it was. */
  ask(registry: RunningRegistry): Promise<boolean>
}

/** `ownWitness`: did:key of the registry as a witness of DIDs; `outbox`: the way of a service to its outbox. */
export function createClients(ownWitness: string, outbox: Database<RegistryTables>): Clients {
  const acknowledged = new Set<string>()
  const openings = new Map<string, Opening>()
  let errands: Errand[] = []
  let toErase: string | null = null

  return {
    acknowledged,
    newOpenings() {
      const fresh = [...openings.values()]
      openings.clear()
      return fresh
    },
    newRound,
    async ask(registry) {
      for (const errand of errands) {
        const { status, body } = await errand.ask(registry)
        if (status >= 200 && status < 300) take(errand, body)
        else {
          // Whatever happened, the client is told that it may try again.
          expect({ errand: errand.name, status, body }).toMatchObject({ status: 503 })
          return false
        }
      }
      return true
    },
  }

  function take(errand: Errand, body: string): void {
    if (errand.answer !== null)
      expect({ errand: errand.name, body }).toEqual({ errand: errand.name, body: errand.answer })
    errand.answer = body
    if (errand.entry === undefined) return
    const { opening } = JSON.parse(body) as DidAccepted
    acknowledged.add(opening.commitment)
    openings.set(opening.commitment, { ...opening, entry: { ...errand.entry } })
  }

  async function newRound(): Promise<void> {
    const witness = await newSigner()
    const witnessed = { threshold: 1, witnesses: [{ id: didKeyFor(witness.publicKey) }] }
    const logged = { threshold: 1, witnesses: [{ id: ownWitness }] }
    const [plain, unlisted, other] = [
      await newDid({ witness: logged }),
      await newDid(),
      await newDid({ witness: witnessed }),
    ]
    const update = await updateDid(plain.state, { signer: plain.signer, now: new Date(Date.now() - 30_000) })
    const proofs = [await witnessEntry(other.entry.versionId, witness, new Date())]
    const commitment = new Uint8Array(randomBytes(32))
    const erasing = toErase
    errands = [
      registration('a listed DID', plain.entry, true),
      registration('an unlisted DID', unlisted.entry, false),
      registration('a DID with a witness', other.entry, true),
      errand('an update', async ({ post }) => replyOf(await post(`/dids/${plain.did}/entries`, update)), update),
      errand('witness proofs', async ({ post }) => replyOf(await post(`/dids/${other.did}/witness-proofs`, proofs))),
      errand('an entry of another service', async () => {
        try {
          await addToOutbox(outbox, 'registry', { kind: 'other', commitment })
          acknowledged.add(toHex(commitment))
          return { status: 200, body: '' }
        } catch {
          return { status: 503, body: '' }
        }
      }),
      ...(erasing === null ? [] : [erasure(erasing)]),
    ]
    toErase = unlisted.did
  }

  function erasure(did: string): Errand {
    return errand('an erasure', async ({ app, issuer }) => {
      const url = `/dids/${did}`
      const headers = { ...(await issuer.headers({ kind: 'device', id: did }, 'DELETE', url)) }
      return replyOf(await app.inject({ method: 'DELETE', url, headers }))
    })
  }
}

/** did:key of the registry as a witness of DIDs. */
export async function ownWitnessOf({ get }: RunningRegistry): Promise<string> {
  return (await get('/registry/witness')).json<{ did: string }>().did
}

function registration(name: string, entry: DidLogEntry, listed: boolean): Errand {
  return errand(name, async ({ post }) => replyOf(await post('/dids', { entry, listed })), entry)
}

function errand(name: string, ask: Errand['ask'], entry?: DidLogEntry): Errand {
  return { name, ask, answer: null, ...(entry === undefined ? {} : { entry }) }
}

function replyOf({ statusCode, body }: { statusCode: number; body: string }) {
  return { status: statusCode, body }
}
