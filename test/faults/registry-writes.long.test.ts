import { afterAll, beforeAll, expect, test } from 'vitest'
import { fileSteps } from './breaking-files.ts'
import { type Fate, fates, type Write } from './postgres-between.ts'
import { openRegistryInUse, type RegistryInUse } from './registry-in-use.ts'
import { isWriteOf, type RegistryWrite, registryWrites } from './registry-write-table.ts'

let inUse: RegistryInUse
beforeAll(async () => {
  inUse = await openRegistryInUse()
})
afterAll(() => inUse.close())

const names = Object.keys(registryWrites) as RegistryWrite[]
const table = names.flatMap((name) => fates.map((fate) => [name, fate] as const))

test.each(table)('%s, %s, and the process with it: the next start goes on', async (name, fate) => {
  await inUse.workUntil(inUse.running.between.cutAt({ of: isWriteOf(name), fate, forGood: true }))
  await inUse.crashAndStart()
  await inUse.expectWhole()
})

test.each(table)('%s, %s: the process itself goes on', async (name, fate) => {
  await inUse.workUntil(inUse.running.between.cutAt({ of: isWriteOf(name), fate, forGood: false }))
  await inUse.expectWhole()
})

const diskTable = fileSteps.flatMap((step) => fates.map((fate) => [step, fate] as const))

test.each(diskTable)('the witness’s %s, %s: its next start goes on, and so does the log', async (step, fate) => {
  await inUse.workUntil(inUse.site.files.breakAt(step, fate))
  await inUse.site.witness.restart()
  await inUse.expectWhole()
})

test.each(fates)('a request to the witness, %s: it is made again', async (fate) => {
  const { site } = inUse
  const { promise: met, resolve } = Promise.withResolvers<void>()
  site.witnessPeer = {
    addCheckpoint: async (body, signal) => {
      site.witnessPeer = site.witness
      if (fate === 'failed but persisted') await site.witness.addCheckpoint(body, signal)
      resolve()
      throw new Error('the connection broke')
    },
  }
  await inUse.workUntil(met)
  await inUse.expectWhole()
})

test.each(fates)('a transaction on the ledger, %s, and the process with it: the next start goes on', async (fate) => {
  await inUse.workUntil(nextTransaction(fate))
  await inUse.crashAndStart()
  await inUse.expectWhole()
})

function nextTransaction(fate: Fate): Promise<void> {
  const { ledger } = inUse.site
  return new Promise((met) => {
    ledger.fate = (method) => {
      if (method !== 'eth_sendRawTransaction') return 'pass'
      ledger.fate = () => 'pass'
      met()
      return fate === 'failed' ? 'refuse' : 'lose answer'
    }
  })
}

test('no registry ever wrote anything that is not in this table', () => {
  // A look into empty outboxes takes nothing.
  const isLook = (write: Write) => write.every((part) => /^delete \w+\.outbox$/.test(part))
  const unknown = inUse.site.writes.filter((write) => !isLook(write) && !names.some((name) => isWriteOf(name)(write)))
  expect(inUse.site.writes.length).toBeGreaterThan(table.length)
  expect([...new Set(unknown.map((write) => write.join(', ')))]).toEqual([])
})

test('the witness never saw anything but one log', () => {
  expect(inUse.site.witness.events.filter(({ event }) => event === 'inconsistent')).toEqual([])
})
