import { expect } from 'vitest'
import { type Clients, createClients, ownWitnessOf } from './clients-of-registry.ts'
import type { LogObserver } from './log-observer.ts'
import { openRegistrySite, type RegistrySite, type RunningRegistry } from './registry-site.ts'

/** A registry with clients who use all of it, while something of what it stands on fails. */
export interface RegistryInUse {
  readonly site: RegistrySite
  /** The registry that runs now. */
  readonly running: RunningRegistry
  /** A round of every kind of write, all of it answered. */
  work(): Promise<void>
  /** Lets a round of work go on until the fault has come. Fails when it does not come. */
  workUntil(met: Promise<void>): Promise<void>
  /** The process ends where it stands, and another one starts. */
  crashAndStart(): Promise<void>
  /** Everybody asks again for what they did not get; then all is as it would have been without any fault. */
  expectWhole(): ReturnType<LogObserver['check']>
  close(): Promise<void>
}

export async function openRegistryInUse(options: { witnessFolder?: string } = {}): Promise<RegistryInUse> {
  const site = await openRegistrySite(options)
  let running = await site.start()
  const clients: Clients = createClients(await ownWitnessOf(running), site.tables)
  const inUse: RegistryInUse = {
    site,
    get running() {
      return running
    },
    async work() {
      await clients.newRound()
      expect(await clients.ask(running)).toBe(true)
    },
    async workUntil(met) {
      await clients.newRound()
      const work = clients.ask(running).then(() => site.settled(running))
      const never = work.then(
        () => expect.fail('this fault never came'),
        () => met,
      )
      await Promise.race([met, never])
    },
    async crashAndStart() {
      await running.crash()
      running = await site.start()
    },
    async expectWhole() {
      expect(await clients.ask(running)).toBe(true)
      await site.settled(running)
      return site.check(running, clients)
    },
    async close() {
      await running.stop()
      await site.close()
    },
  }
  await inUse.work()
  await inUse.expectWhole()
  return inUse
}
