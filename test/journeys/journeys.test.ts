import { afterAll, beforeAll, expect, test } from 'vitest'
import { loggedEntries } from './logged-entries.ts'
import { play } from './play.ts'
import { Scene } from './scene.ts'
import { openStage, type Stage } from './stage.ts'

let stage: Stage
beforeAll(async () => {
  stage = await openStage()
})
afterAll(() => stage.close())

test('J1 to J7 run over HTTP in one city and every expectation holds', async () => {
  const scene = new Scene((step) => {
    if (!step.held) console.error(`${step.journey}: ${step.title}: ${step.fault}`)
  })
  await play(scene, stage, null)
  expect(new Set(scene.steps.map(({ journey }) => journey))).toEqual(
    new Set(['J1', 'J2', 'J3', 'J4', 'J5', 'J6', 'J7']),
  )
  expect(scene.steps.filter(({ held }) => !held)).toEqual([])
})

test('what every service wrote down in J1 to J7 is in the published log', async () => {
  const { counts, waiting, missing } = await loggedEntries(stage.city.databaseUrl)
  expect({ waiting, missing }).toEqual({ waiting: 0, missing: [] })
  for (const [kind, count] of Object.entries(counts)) expect(count, kind).toBeGreaterThan(0)
})
