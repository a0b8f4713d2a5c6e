import { expect } from 'vitest'

const identifiers = /did:[a-z0-9]+:\S+|\b(?:cust|mp|perm|ar)_[A-Za-z0-9_-]{10,}|\b\d{18}\b/g

/** Standard error is kept and sent around by operators, so nothing in it may point to a person or a thing. */
export function expectNoIdentifiers(logs: string): void {
  expect(logs.match(identifiers) ?? []).toEqual([])
}
