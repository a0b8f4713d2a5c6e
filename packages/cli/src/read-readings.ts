import { parseArgs } from 'node:util'
import { connectAs } from './identity.ts'
import { wrongCall } from './usage-error.ts'

export const readUsage = `tillit read --metering-point mp_… --from 2025-01-01T00:00:00Z --to 2025-02-01T00:00:00Z
            [--granularity P1D] [--product active_energy] [--direction consumption] [--csv]
            [--identity FILE] [--city URL]
  Reads a metering point as an eligible party.
  --granularity  without it the finest that is allowed comes back
  --csv          as CSV; without it as JSON
  --identity     file with the party's DID and key; without it the demonstration's adviser
  --city         the city's URL; without it that of the identity`

/** Prints what the city released. A refusal is a CityError, which main prints with its reason. */
export async function readReadings(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      'metering-point': { type: 'string' },
      from: { type: 'string' },
      to: { type: 'string' },
      granularity: { type: 'string' },
      product: { type: 'string', default: 'active_energy' },
      direction: { type: 'string', default: 'consumption' },
      csv: { type: 'boolean', default: false },
      identity: { type: 'string' },
      city: { type: 'string' },
    },
  })
  const { 'metering-point': meteringPoint, from, to, granularity, product, direction } = values
  if (meteringPoint === undefined) throw wrongCall('--metering-point is missing.', readUsage)
  if (from === undefined) throw wrongCall('--from is missing.', readUsage)
  if (to === undefined) throw wrongCall('--to is missing.', readUsage)
  const city = await connectAs(values, 'adviser')
  const answer = await city.text('GET', `/metering-points/${meteringPoint}/readings`, {
    query: { from, to, granularity, product, direction },
    accept: values.csv ? 'text/csv' : 'application/json',
  })
  console.log(values.csv ? answer.trimEnd() : JSON.stringify(JSON.parse(answer), null, 2))
  return 0
}
