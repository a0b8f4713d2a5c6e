import { join, relative } from 'node:path'
import type { City } from './compose.ts'
import type { Config } from './config.ts'
import type { Demonstration } from './demonstration/seed.ts'

/** What to do next, in a few lines. */
export function printBanner(city: City, config: Config, demonstration: Demonstration | null): void {
  const lines = [
    '',
    `Tillit runs at ${city.url}`,
    '',
    `  Portal             ${city.url}/portal/`,
    `  API documentation  ${city.url}/docs`,
    `  OpenAPI            ${city.url}/openapi.json`,
    `  Log                ${city.url}/log/checkpoint${city.selfWitnessed ? '   (self-witnessed)' : ''}`,
    `  Ledger             ${city.url}/registry/ledger   (anchored every ${config.anchorIntervalSeconds} s)`,
    ...(demonstration === null ? [] : demonstrationLines(city, demonstration)),
    '',
    'Ctrl-C stops everything that was started here.',
  ]
  console.log(lines.join('\n'))
}

function demonstrationLines(city: City, { folder, meteringPoint }: Demonstration): string[] {
  const { from, to } = lastWeek(new Date())
  const path = join(folder, 'adviser.json')
  const near = relative(process.cwd(), path)
  const file = near.startsWith('..') ? path : near
  return [
    '',
    'The demonstration: sign in to the portal without a password as',
    ...city.personas.map(({ name, description }) => `  ${name.padEnd(18)} ${description}`),
    '',
    'Read as the energy adviser (before you accept, after, and after you stopped it):',
    `  npx tillit read --identity ${file} --metering-point ${meteringPoint} --from ${from} --to ${to}`,
  ]
}

function lastWeek(now: Date): { from: string; to: string } {
  const day = (offset: number) => new Date(now.getTime() - offset * 86_400_000).toISOString().slice(0, 10)
  return { from: `${day(8)}T00:00:00Z`, to: `${day(1)}T00:00:00Z` }
}
