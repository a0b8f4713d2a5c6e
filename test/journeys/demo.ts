import { parseArgs } from 'node:util'
import { play, type RealData } from './play.ts'
import { realData } from './real-data.ts'
import { Scene, type Step } from './scene.ts'
import { openStage, type Stage } from './stage.ts'

const usage = `npm run demo -- [--data FILE [--zone UTC] [--unit kWh] [--calendar Europe/Oslo]] [--json]
  Plays the journeys J1 to J7 in a throw-away city. Exit status 0 only if every expectation held.
  --data FILE  a Green Button feed or CSV file in place of made-up readings
  --json       one JSON object a step`

const titles: Record<string, string> = {
  J1: 'The registrar accredits a utility and two eligible parties',
  J2: 'A meter enrols, publishes signed readings, goes offline and catches up',
  J3: 'A citizen signs in and receives the entitlement to the metering point',
  J4: 'An adviser asks, the citizen gives less, the adviser reads',
  J5: 'The adviser delegates to an analyst',
  J6: 'The citizen revokes',
  J7: 'The citizen looks back, and everything is proved against the ledger',
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      data: { type: 'string' },
      zone: { type: 'string', default: 'UTC' },
      unit: { type: 'string', default: 'kWh' },
      calendar: { type: 'string', default: 'Europe/Oslo' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    console.log(usage)
    return 0
  }
  const { data: file, zone, unit, calendar } = values
  const data = file === undefined ? null : await realData({ file, zone, unit, calendar })
  const scene = new Scene(values.json ? printJson : printWords())
  if (!values.json) console.log('A throw-away city is made: its own PostgreSQL, its own ledger.')
  return playIn(await openStage(), { scene, data, json: values.json })
}

async function playIn(
  stage: Stage,
  { scene, data, json }: { scene: Scene; data: RealData | null; json: boolean },
): Promise<number> {
  const stop = () => void stage.close().finally(() => process.exit(130))
  process.once('SIGINT', stop)
  try {
    await play(scene, stage, data)
  } catch (error) {
    // A step that did not hold has been shown; anything else is a fault of the play.
    if (scene.steps.every(({ held }) => held)) throw error
  } finally {
    await stage.close()
    process.removeListener('SIGINT', stop)
  }
  const failed = scene.steps.filter(({ held }) => !held).length
  if (!json)
    console.log(
      failed === 0
        ? `\nAll ${scene.steps.length} expectations held.`
        : `\n${failed} of ${scene.steps.length} did not hold.`,
    )
  return failed === 0 ? 0 : 1
}

function printJson(step: Step): void {
  console.log(JSON.stringify(step))
}

function printWords(): (step: Step) => void {
  let journey = ''
  return (step) => {
    if (step.journey !== journey) {
      journey = step.journey
      console.log(`\n${journey}  ${titles[journey] ?? ''}`)
    }
    console.log(`  ${step.held ? '✓' : '✗'} ${step.title}`)
    for (const [name, value] of Object.entries(step.evidence))
      console.log(`      ${/^[a-z_]+$/.test(name) ? name.replaceAll('_', ' ') : name}: ${value}`)
    if (step.fault !== null) console.log(`      ${step.fault}`)
  }
}

try {
  process.exitCode = await main()
} catch (error) {
  if (error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS')) {
    console.error(`${error.message}\n\n${usage}`)
    process.exitCode = 2
  } else {
    console.error(error)
    process.exitCode = 1
  }
}
