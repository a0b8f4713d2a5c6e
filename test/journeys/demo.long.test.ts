import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import type { Step } from './scene.ts'

const london = '../shared/data/lcl/MAC000002-2013.csv'

async function demo(...args: string[]): Promise<Step[]> {
  const { stdout } = await promisify(execFile)(process.execPath, ['test/journeys/demo.ts', '--json', ...args], {
    maxBuffer: 2 ** 24,
  })
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Step)
}

test('the demonstration plays J1 to J7 and prints one object a step', async () => {
  const steps = await demo()
  expect([...new Set(steps.map(({ journey }) => journey))]).toEqual(['J1', 'J2', 'J3', 'J4', 'J5', 'J6', 'J7'])
  expect(steps.filter(({ held, evidence }) => !held || Object.keys(evidence).length === 0)).toEqual([])
})

test('the demonstration plays on a year of a real household', async (context) => {
  if (!existsSync(london)) {
    console.log(`${london} is not there, so the play on real data is left out`)
    context.skip()
  }
  const steps = await demo('--data', london, '--zone', 'UTC', '--unit', 'kWh', '--calendar', 'Europe/London')
  expect(steps.filter(({ held }) => !held)).toEqual([])
  expect(steps.find(({ title }) => title.startsWith('The analyst reads monthly'))?.evidence).toMatchObject({
    granularity: 'P1M',
    values: '12',
  })
})

test('the demonstration refuses an option that it does not know with status 2', async () => {
  await expect(demo('--frob')).rejects.toMatchObject({ code: 2 })
})
