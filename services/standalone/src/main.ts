import { isProblem } from '@tillit/problem'
import { printBanner } from './banner.ts'
import { type City, startCity } from './compose.ts'
import { readConfig } from './config.ts'
import { seedCity } from './demonstration/seed.ts'

let city: City | null = null
let stopping = false

async function main(): Promise<void> {
  const config = readConfig(process.env)
  const onEvent = (event: string) => console.error(`  ${event}`)
  console.error('Tillit is starting')
  city = await startCity(config, { onEvent })
  if (stopping) return
  const demonstration = config.demonstration ? await seedCity(city, { dataDir: config.dataDir, onEvent }) : null
  if (!stopping) printBanner(city, config, demonstration)
}

async function stop(signal: NodeJS.Signals): Promise<void> {
  if (stopping) return
  stopping = true
  console.error(`\nStopping (${signal})`)
  await city?.stop()
  process.exit(0)
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void stop(signal).catch(fail))

function fail(error: unknown): void {
  console.error(isProblem(error) ? error.message : error)
  process.exit(1)
}

main().catch(async (error) => {
  await city?.stop().catch((fault) => console.error(fault))
  fail(error)
})
