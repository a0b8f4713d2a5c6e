import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type CachedResolver, createCachedResolver, type DidResolution, type DidResolutionError } from './index.ts'

interface Answer {
  ttl?: string
  error?: DidResolutionError
}

/** Answers with what it is told, and counts the questions; `hold` keeps answers back until they are let go. */
function source(answerOf: (did: string) => Answer = () => ({})) {
  const asked: { did: string; at: number }[] = []
  const state = { now: 0, hold: false }
  const held: (() => void)[] = []
  return {
    asked,
    state,
    now: () => new Date(state.now),
    release: () => {
      for (const go of held.splice(0)) go()
    },
    resolve: async (did: string): Promise<DidResolution> => {
      asked.push({ did, at: state.now })
      const { ttl, error } = answerOf(did)
      const result: DidResolution = {
        '@context': 'https://w3id.org/did-resolution/v1',
        didDocument: error === undefined ? { id: did } : null,
        didResolutionMetadata: error === undefined ? {} : { error },
        didDocumentMetadata: { askedAt: state.now, ...(ttl === undefined ? {} : { ttl }) },
      }
      if (state.hold) await new Promise<void>((resolve) => held.push(resolve))
      return result
    },
  }
}

const options = { maxEntries: 3, maxTtlSeconds: 60, negativeTtlSeconds: 5, minFreshSeconds: 10 }
const errors = ['notFound', 'internalError', 'invalidDid', 'methodNotSupported'] as const

const steps = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant('resolve' as const), did: fc.nat(5), fresh: fc.boolean() }),
    fc.record({ kind: fc.constant('wait' as const), seconds: fc.nat(40) }),
    fc.record({ kind: fc.constant('forget' as const), did: fc.nat(5) }),
    fc.record({ kind: fc.constant('refresh' as const), did: fc.nat(5) }),
  ),
  { maxLength: 60 },
)
const worlds = fc.array(
  fc.record({
    ttl: fc.option(fc.nat(100).map(String), { nil: undefined }),
    error: fc.option(fc.constantFrom(...errors), { nil: undefined }),
  }),
  { minLength: 6, maxLength: 6 },
)

/** How long an answer may be given again, in milliseconds. */
function longest({ ttl, error }: Answer): number {
  if (error === 'notFound' || error === 'internalError') return options.negativeTtlSeconds * 1000
  if (error !== undefined) return 0
  return Math.min(Number(ttl ?? options.maxTtlSeconds), options.maxTtlSeconds) * 1000
}

test('keeps no more than it may, nothing longer than it may, and is no more eager than it may be', async () => {
  await fc.assert(
    fc.asyncProperty(steps, worlds, async (script, world) => {
      const answerOf = (did: string): Answer => {
        const { ttl, error } = world[Number(did)] ?? {}
        return { ...(ttl === undefined ? {} : { ttl }), ...(error === undefined ? {} : { error }) }
      }
      const from = source(answerOf)
      const cached = createCachedResolver(from, { ...options, now: from.now })
      const askedByForce = new Set<number>()
      for (const step of script) {
        if (step.kind === 'wait') {
          from.state.now += step.seconds * 1000
          continue
        }
        const did = String(step.did)
        if (step.kind === 'forget') {
          cached.forget(did)
          askedByForce.add(from.asked.length)
          continue
        }
        const before = from.asked.length
        const previous = from.asked.findLast((question) => question.did === did)
        const result = await (step.kind === 'refresh'
          ? cached.refresh(did)
          : cached.resolve(did, { fresh: step.fresh }))
        const askedAt = Number(result.didDocumentMetadata.askedAt)
        const asked = from.asked.length > before
        expect(result.didResolutionMetadata.error).toBe(answerOf(did).error)
        expect(cached.size).toBeLessThanOrEqual(options.maxEntries)
        if (asked) expect(askedAt).toBe(from.state.now)
        else expect(from.state.now - askedAt).toBeLessThan(longest(answerOf(did)))
        if (step.kind === 'refresh') expect(asked).toBe(true)
        // A fresh answer is never older than the bound, whatever is kept.
        if (step.kind === 'resolve' && step.fresh)
          expect(from.state.now - askedAt).toBeLessThan(options.minFreshSeconds * 1000)
        expect(previous === undefined ? asked : true).toBe(true)
      }
    }),
  )
})

describe('asked at once', () => {
  test('by many, it asks once; a DID that was asked for is asked for again only when it has to be', async () => {
    const from = source()
    from.state.hold = true
    const cached = createCachedResolver(from, { ...options, now: from.now })
    const waiting = Array.from({ length: 20 }, (_, index) => cached.resolve('a', { fresh: index % 2 === 0 }))
    from.release()
    const results = await Promise.all(waiting)
    expect(new Set(results).size).toBe(1)
    expect(from.asked).toHaveLength(1)
    from.state.hold = false
    for (const [seconds, fresh, asked] of [
      [9, true, 1],
      [10, false, 1],
      [10, true, 2],
      [19, true, 2],
      [20, true, 3],
      [79, false, 3],
      [80, false, 4],
    ] as const) {
      from.state.now = seconds * 1000
      await cached.resolve('a', { fresh })
      expect(from.asked, `${seconds} s`).toHaveLength(asked)
    }
  })

  test('versions and representations are kept apart', async () => {
    const from = source()
    const cached = createCachedResolver(from, { ...options, now: from.now })
    for (const query of [{}, { versionNumber: 1 }, { versionId: '1' }, { accept: 'application/did' }, {}])
      await cached.resolve('a', query)
    expect(from.asked).toHaveLength(5) // the first was the one unused for longest when the fourth came
    expect(cached.size).toBe(3)
  })

  test('what is forgotten while it is being fetched is not kept', async () => {
    const from = source()
    from.state.hold = true
    const cached = createCachedResolver(from, { ...options, now: from.now })
    const first = cached.resolve('a')
    const second = cached.refresh('a')
    expect(from.asked).toHaveLength(2)
    from.release()
    expect(await first).not.toBe(await second)
    expect(await cached.resolve('a')).toBe(await second)
    const third = cached.refresh('a')
    cached.forget('a')
    from.release()
    await third
    expect(cached.size).toBe(0)
  })
})

test('the one unused for longest goes first', async () => {
  const from = source()
  const cached = createCachedResolver(from, { ...options, now: from.now })
  for (const did of ['a', 'b', 'c', 'a', 'd', 'a', 'c', 'd']) await cached.resolve(did)
  expect(from.asked.map(({ did }) => did)).toEqual(['a', 'b', 'c', 'd'])
})

test('a failed question is told to all who wait, and asked again by the next', async () => {
  const from = source()
  let broken = true
  const cached = createCachedResolver(
    { resolve: (did) => (broken ? Promise.reject(new TypeError('a bug')) : from.resolve(did)) },
    { ...options, now: from.now },
  )
  const results = await Promise.allSettled([cached.resolve('a'), cached.resolve('a')])
  expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  broken = false
  expect((await cached.resolve('a')).didDocument).toEqual({ id: 'a' })
})

test('an answer from a clock that went back is not believed', async () => {
  const from = source()
  const cached = createCachedResolver(from, { ...options, now: from.now })
  from.state.now = 100_000
  await cached.resolve('a')
  from.state.now = 50_000
  await cached.resolve('a')
  expect(from.asked).toHaveLength(2)
})

describe('versions of one DID that are asked for without end', () => {
  test.each([
    ['in the options', (cached: CachedResolver, n: number) => cached.resolve('did:web:a', { versionTime: String(n) })],
    ['in the DID URL', (cached: CachedResolver, n: number) => cached.resolve(`did:web:a?versionTime=${n}`)],
  ])('%s are fetched at a bounded rate, and the DID itself and others are not kept from it', async (_, ask) => {
    const from = source()
    const cached = createCachedResolver(from, { ...options, maxEntries: 100, now: from.now })
    await cached.resolve('did:web:b')
    const burst = async () =>
      (await Promise.allSettled(Array.from({ length: 200 }, (_, n) => ask(cached, from.state.now + n)))).filter(
        ({ status }) => status === 'fulfilled',
      ).length
    expect(await burst()).toBe(32)
    await expect(ask(cached, -1)).rejects.toMatchObject({ code: 'too-many-requests' })
    expect((await cached.resolve('did:web:a')).didDocument).not.toBeNull()
    for (let round = 0; round < 4; round++) {
      from.state.now += 10_000
      expect(await burst()).toBe(32)
    }
    // The bare DID, the other one, and the newest of the versions.
    expect(cached.size).toBe(34)
    const before = from.asked.length
    await cached.resolve('did:web:b')
    expect(from.asked).toHaveLength(before)
  })
})

test('what is kept is bounded by its size too', async () => {
  const from = source((did) => ({ ttl: did === 'large' ? '9'.repeat(4000) : '60' }))
  const cached = createCachedResolver(from, { ...options, maxEntries: 100, maxCharacters: 5000, now: from.now })
  for (let n = 0; n < 10; n++) await cached.resolve(`small-${n}`)
  expect(cached.size).toBe(10)
  await cached.resolve('large')
  expect(cached.size).toBeLessThan(7)
  expect(from.asked).toHaveLength(11)
  await cached.resolve('large')
  expect(from.asked).toHaveLength(11)
  cached.forget('large')
  for (let n = 0; n < 10; n++) await cached.resolve(`small-${n}`)
  expect(cached.size).toBe(10)
})
