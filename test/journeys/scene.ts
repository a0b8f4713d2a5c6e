import { CityError } from '@tillit/client'
import { isProblem } from '@tillit/problem'

/** What a step showed: short names, short values. */
export type Evidence = Record<string, string>

export interface Step {
  journey: string
  /** What happens, in words for anyone. */
  title: string
  held: boolean
  evidence: Evidence
  /** Why it did not hold. */
  fault: string | null
}

/** Plays steps one after the other and tells whoever watches. A step that does not hold ends the play. */
export class Scene {
  readonly steps: Step[] = []
  readonly #watch: (step: Step) => void

  constructor(watch: (step: Step) => void) {
    this.#watch = watch
  }

  async step(journey: string, title: string, act: () => Promise<Evidence>): Promise<void> {
    const step: Step = { journey, title, held: true, evidence: {}, fault: null }
    try {
      step.evidence = await act()
    } catch (error) {
      step.held = false
      step.fault = describe(error)
    }
    this.steps.push(step)
    this.#watch(step)
    if (!step.held) throw new Error(`${journey}: ${title}: ${step.fault}`)
  }
}

/** An expectation of a step; the words say what was expected. */
export function expectThat(condition: boolean, words: string): asserts condition {
  if (!condition) throw new Error(`expected: ${words}`)
}

/** Expects the city (or a verifier) to refuse with exactly this code; gives its words. */
export async function expectRefusal(code: string, act: () => unknown): Promise<string> {
  try {
    await act()
  } catch (error) {
    if ((error instanceof CityError || isProblem(error)) && error.code === code) return describe(error)
    throw error
  }
  throw new Error(`expected: refused with ${code}, but it was let through`)
}

function describe(error: unknown): string {
  if (error instanceof CityError) {
    const { reasons } = error.problem
    return `${error.code}: ${error.message}${reasons === undefined ? '' : ` (${reasons.join(', ')})`}`
  }
  if (isProblem(error)) return `${error.code}: ${error.message}`
  return error instanceof Error ? error.message : String(error)
}
