import { expect, test } from 'vitest'
import { checkDocument } from './did-document.ts'

const id = 'did:web:city.example'

test.each([
  ['null', null],
  ['a text', 'https://a.example'],
  ['without an id', { type: 'S', serviceEndpoint: 'https://a.example' }],
  ['without a type', { id: '#s', serviceEndpoint: 'https://a.example' }],
  ['of a type that is no text', { id: '#s', type: ['S', 7], serviceEndpoint: 'https://a.example' }],
])('a document with a service that is %s is refused, and its place named', (_what, service) => {
  const good = { id: '#good', type: ['S', 'T'], serviceEndpoint: [{ accept: [] }, 'no URL'] }
  expect(checkDocument({ id, service: [good] }).service).toEqual([good])
  expect(() => checkDocument({ id, service: [good, service] }, '/state')).toThrow(
    expect.objectContaining({ code: 'invalid-did', pointer: '/state/service/1' }),
  )
})
