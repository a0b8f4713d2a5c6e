import { isProblem } from '@tillit/problem'
import type { Logger } from './ports.ts'

/** Whether a part of the registry works; a change is logged once, not each time that it is seen. */
export interface Condition {
  readonly fault: string | null
  works(): void
  fails(error: unknown): void
}

export function createCondition(part: string, logger: Logger): Condition {
  let fault: string | null = null
  return {
    get fault() {
      return fault
    },
    works() {
      if (fault !== null) logger.info({ part }, `${part} works again`)
      fault = null
    },
    fails(error) {
      const words = error instanceof Error ? error.message : 'unknown fault'
      if (fault !== words)
        logger.error({ part, code: isProblem(error) ? error.code : undefined, err: error }, `${part}: ${words}`)
      fault = words
    },
  }
}
