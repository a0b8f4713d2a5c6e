import { median } from './figure.ts'

/** Something measured: does its work `times` times and gives how often the outcome was the expected one. */
export type Contender = (times: number) => number

const rounds = 15
const roundMilliseconds = 60
const warmUpMilliseconds = 300

/**
 * Times contenders in alternating rounds (A B C A B C …), so that a machine that slows down slows all of them alike. Gives the median of
 * each one's rounds, in runs a second. Throws when one did not do its work as expected.
 */
export function alternate<Name extends string>(contenders: Record<Name, Contender>): Record<Name, number> {
  const entries = Object.entries(contenders) as [Name, Contender][]
  const measured = entries.map(([name, run]) => ({ name, run, times: warmUp(name, run), perSecond: [] as number[] }))
  for (let round = 0; round < rounds; round++) {
    for (const { name, run, times, perSecond } of measured) {
      perSecond.push(times / (timed(name, run, times) / 1000))
    }
  }
  return Object.fromEntries(measured.map(({ name, perSecond }) => [name, median(perSecond)])) as Record<Name, number>
}

/** Gives how many runs fill a round. */
function warmUp(name: string, run: Contender): number {
  let times = 1
  for (const end = performance.now() + warmUpMilliseconds; ; ) {
    const milliseconds = timed(name, run, times)
    if (performance.now() > end) return Math.max(1, Math.round((times * roundMilliseconds) / milliseconds))
    if (milliseconds < roundMilliseconds) times *= 2
  }
}

function timed(name: string, run: Contender, times: number): number {
  const begin = performance.now()
  const right = run(times)
  const milliseconds = performance.now() - begin
  if (right !== times) throw new Error(`${name}: ${times - right} of ${times} runs had another outcome than expected`)
  return milliseconds
}
