import { printBanner } from './banner.ts'
import { type City, startCity } from './compose.ts'
import { type Config, readConfig } from './config.ts'
import { seedCity } from './demonstration/seed.ts'
import { explainFault } from './explain-fault.ts'

const interrupt = new AbortController()
let config: Config | null = null
let starting: Promise<City> | null = null

async function main(): Promise<void> {
  config = readConfig(process.env)
  const onEvent = (event: string) => console.error(`  ${event}`)
  console.error('Tillit is starting')
  starting = startCity(config, { onEvent, signal: interrupt.signal })
  const city = await starting
  const demonstration = config.demonstration ? await seedCity(city, { dataDir: config.dataDir, onEvent }) : null
  if (!interrupt.signal.aborted) printBanner(city, config, demonstration)
}

/** In the middle of a start, what is being started comes up as far as it can be stopped in order. */
async function stop(signal: NodeJS.Signals): Promise<void> {
  if (interrupt.signal.aborted) return
  console.error(`\nStopping (${signal})`)
  interrupt.abort()
  const city = await starting?.catch(() => null)
  await city?.stop()
  process.exit(0)
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void stop(signal).catch(fail))

function fail(error: unknown): void {
  console.error(explainFault(error, config))
  process.exit(1)
}

main().catch(async (error) => {
  // Whatever is cut off by a stop is no fault, and the stop ends the process.
  if (interrupt.signal.aborted) return
  process.exitCode = 1
  const city = await starting?.catch(() => null)
  await city?.stop().catch((fault) => console.error(explainFault(fault, config)))
  fail(error)
})
