import type { FetchCity } from './fetch-city.ts'

/** The city gave something else than what was asked for, or nothing. */
export class Unanswered extends Error {
  /** Null when nothing was answered at all. */
  readonly status: number | null

  constructor(message: string, options: { status?: number; cause?: unknown }) {
    super(message, { cause: options.cause })
    this.status = options.status ?? null
  }
}

/** The bytes at a path. Throws Unanswered for any status but 200. */
export async function answerOf(fetchCity: FetchCity, path: string, maxBytes: number): Promise<Uint8Array> {
  try {
    const { status, body } = await fetchCity(path, { maxBytes })
    if (status === 200) return body
    throw new Unanswered(`${path}: the city answered ${status}`, { status })
  } catch (cause) {
    if (cause instanceof Unanswered) throw cause
    throw new Unanswered(`${path}: ${cause instanceof Error ? cause.message : 'no answer'}`, { cause })
  }
}
