import { setTimeout as delay } from 'node:timers/promises'
import { CityError } from '@tillit/client'
import { NoCity } from '../no-city.ts'

/** Waits between attempts, in milliseconds: a city that is started again is back within them. */
const waitsMilliseconds = [1_000, 2_000, 4_000, 8_000, 16_000]

/**
 * Asks again where the city did not answer, is overloaded, or still works on what was asked before. For requests that do nothing
 * twice. Throws what the last attempt threw.
 */
export async function tryAgain<T>(
  ask: () => Promise<T>,
  wait: (milliseconds: number) => Promise<unknown> = delay,
): Promise<T> {
  for (const milliseconds of waitsMilliseconds) {
    try {
      return await ask()
    } catch (error) {
      if (!mayPass(error)) throw error
      await wait(milliseconds)
    }
  }
  return ask()
}

function mayPass(error: unknown): boolean {
  if (error instanceof NoCity) return true
  return error instanceof CityError && (error.status >= 500 || error.status === 429 || error.code === 'conflict')
}
