import type { Database } from '@tillit/database'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { RegistryTables } from '../../services/registry/src/index.ts'
import type { FileStep } from './breaking-files.ts'
import { type Clients, createClients } from './clients-of-registry.ts'
import type { Fate } from './postgres-between.ts'
import { openRegistrySite, type RegistrySite, type RunningRegistry } from './registry-site.ts'

let site: RegistrySite
let running: RunningRegistry
let clients: Clients
let outbox: Database<RegistryTables>
beforeAll(async () => {
  site = await openRegistrySite()
  outbox = site.database.connect<RegistryTables>('registry')
  clients = createClients(() => outbox)
  running = await site.start()
  await clients.newRound()
  expect(await clients.ask(running)).toBe(true)
  await site.settled(running)
  await site.check(running, clients)
})
afterAll(async () => {
  await site.stop(running)
  await site.close()
})

/** Everything that the registry writes, in the order of an entry's way, and by what each write is known. */
const writes: readonly (readonly [string, string])[] = [
  ['a first entry and its place in the outbox', 'insert registry.dids'],
  ['a later entry and its place in the outbox', 'update registry.dids insert registry.did_entries'],
  ['witness proofs and what they publish', 'insert registry.did_witness_proofs'],
  ['an erasure', 'insert registry.erased_dids'],
  ['leaves and tiles, out of the outboxes', 'insert registry.leaves'],
  ['a signed checkpoint', 'insert registry.checkpoints'],
  ['what the witnesses did', 'insert registry.witnesses'],
  ['a published checkpoint', 'insert registry.published_checkpoints'],
  ['the end of a duty to approve', 'delete registry.did_witness_duties'],
  ['anchors that the ledger lost', 'update registry.anchors'],
  ['an anchor', 'insert registry.anchors'],
]
const fates: readonly Fate[] = ['failed', 'failed but persisted']
const table = writes.flatMap(([what, known]) => fates.map((fate) => [what, fate, known.match(/\w+ \S+/g) ?? []] as const))

test.each(table)('%s, %s: the next start goes on as if nothing had been', async (_what, fate, known) => {
  await clients.newRound()
  const met = site.between.cutAt({ of: (write) => known.every((part) => write.includes(part)), fate, forGood: true })
  const work = clients.ask(running).then(() => site.settled(running).catch(() => undefined))
  await Promise.race([met, work.then(() => expect.fail('this write was never made'))])
  await site.crash(running)
  running = await site.start()
  expect(await clients.ask(running)).toBe(true)
  await site.settled(running)
  await site.check(running, clients)
})
