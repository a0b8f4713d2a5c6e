import { setImmediate as nextTurn } from 'node:timers/promises'
import { isProblem, toProblemDocument } from '@tillit/problem'
import type { DidRegistration, DidRegistrationResults } from '@tillit/schemas'
import type { RegisterDid } from './register-did.ts'

type Result = DidRegistrationResults['results'][number]

/** Entries verified before others get their turn: some milliseconds of work. */
const verifiedAtOnce = 16

/**
 * Registers many first entries. Each is accepted or refused for itself, and the same ones again give the same answers. What is
 * no Problem (the database is gone) fails for all, and whoever tries again finds what was stored.
 */
export async function registerDids(
  registrations: readonly DidRegistration[],
  register: RegisterDid,
): Promise<DidRegistrationResults> {
  const results: Promise<Settled>[] = []
  for (const registration of registrations) {
    if (results.length % verifiedAtOnce === 0) await nextTurn()
    // Settled at once, so that one that fails while others still begin is not taken for unheard.
    const result = registerOne(registration, register)
    results.push(
      result.then(
        (value) => ({ value }),
        (error: unknown) => ({ error }),
      ),
    )
  }
  const settled = await Promise.all(results)
  return {
    results: settled.map((result) => {
      if ('error' in result) throw result.error
      return result.value
    }),
  }
}

type Settled = { readonly value: Result } | { readonly error: unknown }

async function registerOne(registration: DidRegistration, register: RegisterDid): Promise<Result> {
  try {
    const { accepted, created } = await register(registration)
    return { status: created ? 201 : 200, accepted }
  } catch (error) {
    if (!isProblem(error)) throw error
    return { status: error.status, problem: toProblemDocument(error) }
  }
}
