import { sha256, utf8 } from '@tillit/codec'
import type { Reading } from '@tillit/schemas'

const hourMilliseconds = 3_600_000
const kilowattHour = 1_000

/** Share of a day's use in each hour: up at seven, home at four, quiet at night. */
const hourlyShape = [2, 2, 2, 2, 2, 3, 5, 7, 5, 4, 3, 3, 3, 3, 4, 5, 7, 8, 8, 7, 6, 5, 4, 3]

/**
 * Hourly consumption of a made-up Nordic household in Wh from one instant to another: heating follows the season, each hour
 * varies by a hash of `seed` and time, so the same arguments always give the same readings.
 */
export function householdReadings(seed: string, { from, to }: { from: Date; to: Date }): Reading[] {
  const readings: Reading[] = []
  for (let time = from.getTime(); time < to.getTime(); time += hourMilliseconds) {
    readings.push({
      start: new Date(time).toISOString(),
      duration_seconds: 3600,
      value: wattHours(seed, new Date(time)),
      quality: 'measured',
    })
  }
  return readings
}

function wattHours(seed: string, time: Date): number {
  const share = (hourlyShape[time.getUTCHours()] ?? 0) / 103
  const winter = (1 + Math.cos((2 * Math.PI * (dayOfYear(time) - 15)) / 365)) / 2
  const dayWattHours = (9 + 26 * winter) * kilowattHour
  const noise = 0.7 + (0.6 * (sha256(utf8(`${seed} ${time.getTime()}`))[0] ?? 0)) / 255
  return Math.round(dayWattHours * share * noise)
}

function dayOfYear(time: Date): number {
  return (time.getTime() - Date.UTC(time.getUTCFullYear(), 0, 1)) / 86_400_000
}
