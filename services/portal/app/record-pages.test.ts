import type { AccessRecord } from '@tillit/schemas'
import { expect, test } from 'vitest'
import { type RecordPage, withNewest, withOlder } from './record-pages.ts'

const page = (ids: string, next?: string): RecordPage => ({
  access_records: [...ids].map((id) => ({ id }) as AccessRecord),
  ...(next === undefined ? {} : { next }),
})
const ids = ({ access_records: records }: RecordPage) => records.map(({ id }) => id).join('')

test('a new record comes in front and what was loaded stays, with the way to older ones', () => {
  const loaded = withOlder(withNewest(null, page('dc', 'c')), page('ba', 'a'))
  const again = withNewest(loaded, page('ed', 'd'))
  expect([ids(again), again.next]).toEqual(['edcba', 'a'])
})

test('the last page has no next, and stays without one when the newest is read again', () => {
  const loaded = withOlder(withNewest(null, page('cb', 'b')), page('a'))
  expect([loaded.next, withNewest(loaded, page('cb', 'b')).next]).toEqual([undefined, undefined])
})

test('with a gap between newest and loaded nothing is left out silently: only the newest page is kept', () => {
  const again = withNewest(page('ba', 'a'), page('fe', 'e'))
  expect([ids(again), again.next]).toEqual(['fe', 'e'])
})
