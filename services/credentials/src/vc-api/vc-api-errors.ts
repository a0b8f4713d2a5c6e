import type { TillitServer } from '@tillit/http'
import { replyProblem } from '@tillit/http'
import { isFault, isProblem, Problem, problemCodes } from '@tillit/problem'
import type { VcApiFinding } from '@tillit/schemas'

/** What was found, as an entry of an `errors` or `warnings` array. */
export function findingOf({ code, message, pointer }: Problem): VcApiFinding {
  return { code, title: problemCodes[code].title, detail: message, ...(pointer === undefined ? {} : { pointer }) }
}

/**
 * Gives the problem when it is about what was handed in, and throws it when we are at fault: a database that is gone says
 * nothing about a credential. An issuer that does not resolve is a fault of the credential.
 */
export function findingIn(error: unknown): Problem {
  if (isProblem(error) && (!isFault(error) || error.code.startsWith('did-'))) return error
  throw error
}

/** VC-API answers 400 when something does not verify, whatever is wrong with it. */
export function notVerified(problems: readonly Problem[]): Problem {
  const [first] = problems
  return new Problem('invalid-credential', {
    detail: first === undefined ? 'It does not verify' : first.message,
    extra: { verified: false, errors: problems.map(findingOf) },
    cause: first,
  })
}

/** Problems of these routes carry an `errors` array, as VC-API wants it, beside what RFC 9457 has. */
export function answerWithErrors(app: TillitServer): void {
  app.setErrorHandler((error, request, reply) => {
    if (!isProblem(error) || error.status >= 500) throw error
    const { code, message: detail, pointer, extra } = error
    const withErrors = { errors: [findingOf(error)], ...extra }
    const options = { detail, extra: withErrors, cause: error, ...(pointer === undefined ? {} : { pointer }) }
    return replyProblem(new Problem(code, options), request, reply)
  })
}
