import type { CityError } from '@tillit/client'
import { isProblem } from '@tillit/problem'
import { NoCity } from './no-city.ts'
import { UsageError } from './usage-error.ts'

/** What a person is told of a failure, and the exit status. What is nobody's fault but ours is thrown on. */
export function explain(error: unknown): { text: string; status: number } {
  if (error instanceof UsageError) return { text: error.message, status: 2 }
  if (error instanceof NoCity) return { text: error.message, status: 1 }
  if (isCityError(error)) return { text: refusal(error), status: 1 }
  if (isProblem(error)) return { text: `${error.code}: ${error.message}`, status: 1 }
  if (isWrongOption(error)) return { text: inWords(error), status: 2 }
  if (isOfFile(error)) return { text: error.message, status: fileFaults[error.code] ?? 1 }
  throw error
}

/** By its name: the client is loaded by the commands that use it, and not to say that a file is not there. */
function isCityError(error: unknown): error is CityError {
  return error instanceof Error && error.name === 'CityError'
}

/** What can be wrong with a file that was named, and with the disk that it is on. */
const fileFaults: Readonly<Record<string, number>> = {
  ...{ ENOENT: 2, ENOTDIR: 2, EISDIR: 2, EACCES: 2, EPERM: 2 },
  ...{ EROFS: 1, ENOSPC: 1, EDQUOT: 1, EIO: 1, EMFILE: 1 },
}

function refusal({ code, message, problem, status }: CityError): string {
  if (problem.code === undefined)
    return `The answer (status ${status}) is not a city's. Is the URL right, and is the city of this version?`
  const reasons = problem.reasons?.map((reason) => `\n  - ${reason}`).join('') ?? ''
  return `${code}: ${message}${reasons}`
}

/** An option that the command does not have, or that lacks its value. */
export function isWrongOption(error: unknown): error is TypeError {
  return error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS')
}

/** The first sentence; what follows explains `parseArgs` to programmers. */
export function inWords({ message }: TypeError): string {
  const [sentence = message] = message.split(/\.\s|\.$|\n/)
  return `${sentence}.`
}

function isOfFile(error: unknown): error is Error & { code: string } {
  return error instanceof Error && 'code' in error && Object.hasOwn(fileFaults, String(error.code))
}
