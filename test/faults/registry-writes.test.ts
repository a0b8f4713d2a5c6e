import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Fate } from './postgres-between.ts'
import { openRegistryInUse, type RegistryInUse } from './registry-in-use.ts'
import { isWriteOf, type RegistryWrite } from './registry-write-table.ts'

// The rows of the whole table (registry-writes.long.test.ts) at which a mistake would fork the log or lose from it.
const rows: readonly (readonly [RegistryWrite, Fate])[] = [
  ['leaves and tiles, out of the outboxes', 'failed'],
  ['leaves and tiles, out of the outboxes', 'failed but persisted'],
  ['a signed checkpoint', 'failed but persisted'],
  ['a published checkpoint', 'failed'],
  ['a published checkpoint', 'failed but persisted'],
  ['an anchor', 'failed'],
]

let inUse: RegistryInUse
beforeAll(async () => {
  inUse = await openRegistryInUse()
})
afterAll(() => inUse.close())

test.each(rows)('%s, %s, and the process with it: the next start goes on', async (name, fate) => {
  await inUse.workUntil(inUse.running.between.cutAt({ of: isWriteOf(name), fate, forGood: true }))
  await inUse.crashAndStart()
  await inUse.expectWhole()
  expect(inUse.site.witness.events.filter(({ event }) => event === 'inconsistent')).toEqual([])
})
