import { Problem } from '@tillit/problem'

/** `what` was sent or is about to be counted, and the caller shall come again. */
export function notConfirmed(what: string): Problem {
  return new Problem('anchor-not-confirmed', { detail: `The ledger has not confirmed ${what} yet` })
}
