import type { MeteringPoint, ReadingSeries } from '@tillit/schemas'
import { useCallback, useId } from 'react'
import { city } from './city.ts'
import { addDays, localDate, startOfDay } from './local-day.ts'
import { Loaded } from './section.tsx'
import { useResource } from './use-resource.ts'
import { day } from './words.ts'

const days = 30
const chart = { width: 600, height: 160, gap: 3 }
type Value = ReadingSeries['readings'][number]

/** The last 30 days of a metering point, a bar a day; a read of one's own, which is recorded like any other. */
export function DailyValues({ point }: { point: MeteringPoint }) {
  const [series, reload] = useResource(useCallback(() => readDays(point), [point]))
  return (
    <figure>
      <figcaption>
        Electricity you used, the last {days} days
        {point.gsrn !== undefined && <span className="muted"> (meter {point.gsrn})</span>}
      </figcaption>
      <Loaded resource={series} reload={reload}>
        {({ readings }) =>
          readings.some(({ coverage }) => coverage > 0) ? (
            <Bars readings={readings} timeZone={point.time_zone} />
          ) : (
            <p className="muted">Your meter has sent nothing for these days yet.</p>
          )
        }
      </Loaded>
    </figure>
  )
}

function Bars({ readings, timeZone }: { readings: Value[]; timeZone: string }) {
  const id = useId()
  const most = Math.max(...readings.map(({ value }) => value), 1)
  const width = chart.width / readings.length
  const total = readings.reduce((sum, { value }) => sum + value, 0)
  return (
    <>
      <svg
        className="bars"
        viewBox={`0 0 ${chart.width} ${chart.height}`}
        role="img"
        aria-labelledby={`${id}-title`}
        preserveAspectRatio="none"
      >
        <title id={`${id}-title`}>
          {`Daily use between ${kilowattHours(Math.min(...readings.map(({ value }) => value)))} and ${kilowattHours(most)}`}
        </title>
        {readings.map(({ start, value, coverage }, index) => {
          const height = (value / most) * (chart.height - 2)
          return (
            <rect
              key={start}
              className={coverage < 1 ? 'partial' : 'whole'}
              x={index * width}
              y={chart.height - height}
              width={Math.max(width - chart.gap, 1)}
              height={height}
            >
              <title>{`${day(start, timeZone)}: ${kilowattHours(value)}${coverage < 1 ? ', not the whole day' : ''}`}</title>
            </rect>
          )
        })}
      </svg>
      <p className="axis muted small">
        <span>{day(readings[0]?.start ?? '', timeZone)}</span>
        <span>
          {kilowattHours(total)} in all, at most {kilowattHours(most)} a day
        </span>
        <span>{day(readings.at(-1)?.start ?? '', timeZone)}</span>
      </p>
      <details>
        <summary>The same as a table</summary>
        <table>
          <thead>
            <tr>
              <th scope="col">Day</th>
              <th scope="col">Used</th>
            </tr>
          </thead>
          <tbody>
            {readings.map(({ start, value }) => (
              <tr key={start}>
                <td>{day(start, timeZone)}</td>
                <td>{kilowattHours(value)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </details>
    </>
  )
}

function readDays({ id, time_zone: timeZone }: MeteringPoint): Promise<ReadingSeries> {
  const today = localDate(new Date(), timeZone)
  const from = startOfDay(addDays(today, -days), timeZone).toISOString()
  const to = startOfDay(today, timeZone).toISOString()
  return city.get(`/metering-points/${id}/readings`, { query: { from, to, granularity: 'P1D' } })
}

function kilowattHours(wattHours: number): string {
  return `${(wattHours / 1000).toLocaleString('en-GB', { maximumFractionDigits: 1 })} kWh`
}
