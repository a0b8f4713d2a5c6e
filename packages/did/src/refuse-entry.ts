import { Problem } from '@tillit/problem'

/** The Problem for an entry that does not follow: which rule failed, and where in the entry. */
export function refuseEntry(detail: string, pointer: string, cause?: unknown): Problem {
  return new Problem('invalid-did-log', { detail, pointer, cause })
}
