import { sha256, toBase64url, utf8 } from '@tillit/codec'
import type { ProblemCode } from '@tillit/problem'
import { expect, test } from 'vitest'
import { applyDisclosures } from './disclosures.ts'

const refused = (code: ProblemCode) => expect.objectContaining({ name: 'Problem', code })

/** RFC 9901 section 5.1: the published disclosures of given_name and family_name with their digests. */
const published = [
  ['WyIyR0xDNDJzS1F2ZUNmR2ZyeU5STjl3IiwgImdpdmVuX25hbWUiLCAiSm9obiJd', 'jsu9yVulwQQlhFlM_3JlzMaSFzglhQG0DpfayQwLUK4'],
  ['WyJlbHVWNU9nM2dTTklJOEVZbnN4QV9BIiwgImZhbWlseV9uYW1lIiwgIkRvZSJd', 'TGf4oLbgwd5JQaHyKVQZU9UdGE0w5rtDsrZzfUaomLo'],
] as const

test.each(published)('the published disclosure %s has the published digest', (encoded, digest) => {
  expect(toBase64url(sha256(utf8(encoded)))).toBe(digest)
})

test('nested objects and array elements are disclosed in their places', () => {
  const { claims, disclosed } = applyDisclosures(
    { plain: 1, _sd: ['a', 'decoy'], list: ['x', { '...': 'b' }, { '...': 'withheld' }], _sd_alg: 'sha-256' },
    [
      { digest: 'a', name: 'outer', value: { _sd: ['c'] } },
      { digest: 'b', name: null, value: 'y' },
      { digest: 'c', name: 'inner', value: true },
    ],
  )
  expect(claims).toEqual({ plain: 1, outer: { inner: true }, list: ['x', 'y'] })
  expect([...disclosed]).toEqual(['outer'])
})

test.each([
  ['a digest twice', { _sd: ['a', 'a'] }, { digest: 'a', name: 'n', value: 1 }],
  ['a disclosure over a claim', { n: 0, _sd: ['a'] }, { digest: 'a', name: 'n', value: 1 }],
  ['a disclosure named _sd', { _sd: ['a'] }, { digest: 'a', name: '_sd', value: [] }],
  ['an element disclosed as a claim', { _sd: ['a'] }, { digest: 'a', name: null, value: 1 }],
  ['a claim disclosed as an element', { list: [{ '...': 'a' }] }, { digest: 'a', name: 'n', value: 1 }],
  ['a digest beside other members', { list: [{ '...': 'a', b: 1 }] }, { digest: 'a', name: null, value: 1 }],
  ['digests that are no list', { _sd: 'a' }, { digest: 'a', name: 'n', value: 1 }],
  ['a disclosure that belongs nowhere', {}, { digest: 'a', name: 'n', value: 1 }],
])('%s is refused', (_, payload, disclosure) => {
  expect(() => applyDisclosures(payload, [disclosure])).toThrow(refused('invalid-credential'))
})
