import { median } from './figure.ts'

/** Something measured: does its work `times` times and gives how often the outcome was the expected one. */
export type Contender = (times: number) => number | Promise<number>

export interface Pace {
  readonly rounds: number
  readonly roundMilliseconds: number
  readonly warmUpMilliseconds: number
}

const usualPace: Pace = { rounds: 15, roundMilliseconds: 60, warmUpMilliseconds: 300 }

/**
 * Times contenders in alternating rounds (A B C A B C …), so that a machine that slows down slows all of them alike. Gives the median of
 * each one's rounds, in runs a second. Throws when one did not do its work as expected.
 */
export async function alternate<Name extends string>(
  contenders: Record<Name, Contender>,
  pace: Pace = usualPace,
): Promise<Record<Name, number>> {
  const measured: { name: string; run: Contender; times: number; perSecond: number[] }[] = []
  for (const [name, run] of Object.entries(contenders) as [Name, Contender][])
    measured.push({ name, run, times: await warmUp(name, run, pace), perSecond: [] })
  for (let round = 0; round < pace.rounds; round++) {
    for (const { name, run, times, perSecond } of measured) {
      perSecond.push(times / ((await timed(name, run, times)) / 1000))
    }
  }
  return Object.fromEntries(measured.map(({ name, perSecond }) => [name, median(perSecond)])) as Record<Name, number>
}

/** Gives how many runs fill a round. */
async function warmUp(name: string, run: Contender, { roundMilliseconds, warmUpMilliseconds }: Pace): Promise<number> {
  let times = 1
  for (const end = performance.now() + warmUpMilliseconds; ; ) {
    const milliseconds = await timed(name, run, times)
    if (performance.now() > end) return Math.max(1, Math.round((times * roundMilliseconds) / milliseconds))
    if (milliseconds < roundMilliseconds) times *= 2
  }
}

async function timed(name: string, run: Contender, times: number): Promise<number> {
  const begin = performance.now()
  const right = await run(times)
  const milliseconds = performance.now() - begin
  if (right !== times) throw new Error(`${name}: ${times - right} of ${times} runs had another outcome than expected`)
  return milliseconds
}
