import { updateDid } from '@tillit/did'
import type { DidAccepted, DidLogEntry, Opening } from '@tillit/schemas'
import { expect } from 'vitest'
import { newDid } from '../../services/registry/src/registry.fixture.ts'
import { keepBusy } from './keep-busy.ts'

/** Most receipts asked for in one check: each is proved and verified by itself. */
const maxOpenings = 40

interface Posted {
  readonly path: string
  readonly body: object
  readonly entry: DidLogEntry
  answer: string | null
}

/** Many who register and update DIDs without a pause, and remember what they were answered. */
export interface Registrants {
  readonly acknowledged: ReadonlySet<string>
  /** How often in a row a city said that it cannot take anything now. */
  readonly refusedInARow: number
  /** The newest of those acknowledged since this was asked last. */
  newOpenings(): Opening[]
  /** Works until it is stopped, against whichever of the cities it is told of, and through every outage. */
  work(clients: number): { stop(): Promise<void> }
  /** Everything that got no answer is asked for again, and the newest answers are asked for again: they stay the same. */
  askAgain(): Promise<void>
}

/** `urls`: the cities of one registry, asked in turn. `didHost`: whose DIDs they take. */
export function createRegistrants({ urls, didHost }: { urls: readonly string[]; didHost: string }): Registrants {
  const acknowledged = new Set<string>()
  const openings: Opening[] = []
  const unanswered = new Set<Posted>()
  let answered: Posted[] = []
  let turn = 0
  let refusedInARow = 0

  async function post(posted: Posted): Promise<void> {
    unanswered.add(posted)
    const { path, body, entry } = posted
    const reply = await fetch(`${urls[turn++ % urls.length]}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(10_000),
    })
    const text = await reply.text()
    refusedInARow = reply.ok ? 0 : refusedInARow + 1
    // A city in trouble says so in a way that tells the client to come again.
    if (!reply.ok) expect({ path, status: reply.status, text }).toMatchObject({ status: expect.toBeOneOf([503, 507]) })
    if (!reply.ok) throw new Error(text)
    if (posted.answer !== null) expect(text).toBe(posted.answer)
    else {
      const { opening } = JSON.parse(text) as DidAccepted
      acknowledged.add(opening.commitment)
      openings.push({ ...opening, entry: { ...entry } })
    }
    posted.answer = text
    unanswered.delete(posted)
    answered.push(posted)
  }

  async function registerOne(): Promise<void> {
    const { did, entry, state, signer } = await newDid({ host: didHost })
    // Half of them are listed: those have public salts, and their files are served.
    await post(posted('/dids', entry, { entry, listed: turn % 2 === 0 }))
    const update = await updateDid(state, { signer, now: new Date(Date.now() - 30_000) })
    await post(posted(`/dids/${did}/entries`, update, update))
  }

  return {
    acknowledged,
    get refusedInARow() {
      return refusedInARow
    },
    newOpenings: () => openings.splice(0).slice(-maxOpenings),
    work(clients) {
      const faults: unknown[] = []
      const busy = Array.from({ length: clients }, () =>
        keepBusy(async () => {
          try {
            await registerOne()
          } catch (error) {
            if (error instanceof Error && error.name === 'AssertionError') faults.push(error)
            throw error
          }
        }),
      )
      return {
        stop: async () => {
          await Promise.all(busy.map((one) => one.stop()))
          expect(faults).toEqual([])
        },
      }
    },
    async askAgain() {
      for (const one of [...unanswered, ...answered.slice(-maxOpenings)]) await post(one)
      answered = []
    },
  }
}

function posted(path: string, entry: DidLogEntry, body: object): Posted {
  return { path, body, entry, answer: null }
}
