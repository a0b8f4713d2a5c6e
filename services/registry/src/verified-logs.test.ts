import { formatDidLog } from '@tillit/did'
import { expect, test } from 'vitest'
import { newDid } from './registry.fixture.ts'
import { createVerifiedLogs } from './verified-logs.ts'

async function logsOfOne() {
  const { did, entry } = await newDid()
  const reading = { times: 0, gate: Promise.resolve() }
  const store = {
    readLines: async () => {
      reading.times++
      await reading.gate
      return [formatDidLog([entry]).trimEnd()]
    },
  }
  return { did, reading, logs: createVerifiedLogs(store, { now: () => new Date() }) }
}

test('a log is read and verified once, however many ask', async () => {
  const { did, reading, logs } = await logsOfOne()
  const head = { did, newestVersion: 1 }
  const [one, two] = await Promise.all([logs.statesOf(head), logs.statesOf(head)])
  expect([one, two, await logs.statesOf(head)].map((states) => states[0]?.did)).toEqual([did, did, did])
  expect(reading.times).toBe(1)
})

test('nothing stays of a log that is forgotten while it is being verified', async () => {
  const { did, reading, logs } = await logsOfOne()
  const gate = Promise.withResolvers<void>()
  reading.gate = gate.promise
  const asked = logs.statesOf({ did, newestVersion: 1 })
  logs.forget(did)
  gate.resolve()
  expect((await asked).length).toBe(1)
  await logs.statesOf({ did, newestVersion: 1 })
  expect(reading.times).toBe(2)
})
