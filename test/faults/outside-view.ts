import { connectCity, fetchFromCity } from '@tillit/client'
import { parseTrustPolicy } from '@tillit/log'
import type { LedgerStatus } from '@tillit/schemas'
import { expect } from 'vitest'
import { eventually } from './eventually.ts'
import { keepBusy } from './keep-busy.ts'
import { createLogObserver, type LogObserver } from './log-observer.ts'
import type { Registrants } from './registrants.ts'

/** An anchoring interval of ten seconds and some. */
const anchoredWithinSeconds = 40

/** Someone outside, who was told the city's key and policy before anything went wrong. */
export async function observerOf(url: string): Promise<LogObserver> {
  const city = connectCity({ url })
  const { log } = await city.get<{ log: { vkey: string } }>('/authority')
  return createLogObserver({ vkey: log.vkey, policy: parseTrustPolicy(await city.text('GET', '/log/policy')) })
}

/** Looks at the published checkpoint all the time, while the city lives and while it does not. */
export function watchCheckpoint(urls: readonly string[], observer: LogObserver) {
  const contradictions: unknown[] = []
  const watching = urls.map((url) =>
    keepBusy(async () => {
      const atLeast = observer.largestSize
      const note = await connectCity({ url }).text('GET', '/log/checkpoint')
      try {
        observer.seePublished(note, { atLeast })
      } catch (error) {
        contradictions.push(error)
      }
      await new Promise((later) => setTimeout(later, 20))
    }),
  )
  return {
    stop: async () => {
      await Promise.all(watching.map((one) => one.stop()))
      expect(contradictions).toEqual([])
    },
  }
}

/** Everyone is answered in the end, and what an outsider can check is as it should be. */
export async function expectWhole(url: string, registrants: Registrants, observer: LogObserver) {
  await eventually(() => registrants.askAgain())
  const status = () => connectCity({ url }).get<LedgerStatus>('/registry/ledger')
  const { rpc_url } = await eventually(async () => {
    const ledger = await status()
    expect(ledger.latest_checkpoint?.size).toBeGreaterThanOrEqual(registrants.acknowledged.size)
    expect(ledger).toMatchObject({ fault: null, publishing_fault: null })
    expect(ledger.last_anchor?.size).toBe(ledger.latest_checkpoint?.size)
    return ledger
  }, anchoredWithinSeconds)
  return observer.check({
    fetchCity: fetchFromCity(url),
    acknowledged: registrants.acknowledged,
    openings: registrants.newOpenings(),
    rpcUrl: rpc_url,
  })
}
