import { encodeId, idBytes } from '@tillit/codec'
import { gsrnCheckDigit } from '@tillit/metering'
import type pg from 'pg'

const pointCount = 50
export const daysFilled = 60
const firstDay = Date.parse('2026-01-05T00:00:00Z')
const dayMilliseconds = 86_400_000
const quartersOfDay = 96
export const hoursOfDay = 24

/** Metering points in UTC, so that a day asked for is a day of the local calendar. */
export const meteringPoints = Array.from({ length: pointCount }, (_, i) => {
  const digits = `7070575${String(i).padStart(10, '0')}`
  return {
    id: encodeId('mp', new Uint8Array(idBytes).fill(i + 1)),
    gsrn: `${digits}${gsrnCheckDigit(digits)}`,
    customer: encodeId('cust', new Uint8Array(idBytes).fill(i + 1)),
  }
})

export interface PointDay {
  point: string
  from: Date
  to: Date
  /** What the day's values come to, in Wh. */
  sum: number
}

/** The same walk through points and days for whoever asks. */
export function pointDay(number: number): PointDay {
  const index = (number * 17) % pointCount
  const day = (number * 7 + Math.floor(number / pointCount)) % daysFilled
  const from = new Date(firstDay + day * dayMilliseconds)
  const to = new Date(from.getTime() + dayMilliseconds)
  return { point: meteringPoints[index]?.id ?? '', from, to, sum: sumOfDay(index, day) }
}

/** Quarter hours of (point + 1) × (day + 1) + quarter Wh, so that a wrong point, day or hour gives a wrong sum. */
export async function fillReadings(admin: pg.Client): Promise<void> {
  for (const { id, gsrn } of meteringPoints) {
    await admin.query(
      `insert into metering.metering_points (id, gsrn, grid_area, time_zone, utility_did, created_at)
       values ($1, $2, 'NO1', 'UTC', 'did:web:grid.example', now())`,
      [id, gsrn],
    )
  }
  await admin.query(
    `insert into metering.readings (metering_point_id, product, direction, start, duration_seconds, value_milli, quality, source)
     select point.id, 'active_energy', 'consumption',
            $2::timestamptz + make_interval(days => day, mins => 15 * quarter), 900,
            1000 * (point.number * (day + 1) + quarter), 'measured', 'bench'
       from unnest($1::text[]) with ordinality as point(id, number),
            generate_series(0, ${daysFilled - 1}) as day, generate_series(0, ${quartersOfDay - 1}) as quarter`,
    [meteringPoints.map(({ id }) => id), new Date(firstDay)],
  )
}

export function sumOfDay(point: number, day: number): number {
  return quartersOfDay * (point + 1) * (day + 1) + (quartersOfDay * (quartersOfDay - 1)) / 2
}
