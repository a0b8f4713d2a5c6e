import { signerFromSeed } from '@tillit/keys'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { cosignerKey } from './cosigner-key.ts'
import { formatTrustPolicy, parseTrustPolicy, quorumMet, type TrustPolicy } from './trust-policy.ts'
import { verifierKey } from './verifier-key.ts'

const keys = await Promise.all(
  Array.from({ length: 8 }, async (_, i) => (await signerFromSeed(new Uint8Array(32).fill(i + 1))).publicKey),
)
const logSigner = await signerFromSeed(new Uint8Array(32).fill(99))
const log = { key: verifierKey('log.example', logSigner.publicKey), url: 'https://log.example/' }

/** Any policy: up to 8 witnesses, each put at most once into groups that are put into groups. */
const policies: fc.Arbitrary<TrustPolicy> = fc
  .record({
    witnesses: fc.nat({ max: 8 }),
    groups: fc.array(fc.tuple(fc.nat(), fc.nat(), fc.nat()), { maxLength: 6 }),
    quorum: fc.nat(),
  })
  .map(({ witnesses, groups, quorum }) => {
    const free = Array.from({ length: witnesses }, (_, i) => `w${i}`)
    const policy = {
      logs: [log],
      witnesses: keys.slice(0, witnesses).map((key, i) => ({
        name: `w${i}`,
        key: cosignerKey(`witness.example/${i}`, key),
        url: i % 2 === 0 ? null : `https://w${i}.example/`,
      })),
      groups: [] as { name: string; threshold: number; members: string[] }[],
    }
    for (const [start, count, k] of groups) {
      const members = free.splice(start % (free.length + 1), 1 + (count % 3))
      if (members.length === 0) continue
      const name = `g${policy.groups.length}`
      policy.groups.push({ name, threshold: 1 + (k % members.length), members })
      free.push(name)
    }
    const names = ['none', ...policy.witnesses.map(({ name }) => name), ...policy.groups.map(({ name }) => name)]
    return { ...policy, quorum: names[quorum % names.length] ?? 'none' }
  })

const subsets = fc.uniqueArray(fc.constantFrom(...Array.from({ length: 8 }, (_, i) => `w${i}`)))

test('a policy comes back from its text as it was', () => {
  fc.assert(
    fc.property(policies, (policy) => {
      expect(parseTrustPolicy(formatTrustPolicy(policy))).toEqual(policy)
    }),
  )
})

test('a quorum is met exactly when its definition, taken word by word, says so', () => {
  fc.assert(
    fc.property(policies, subsets, (policy, cosigned) => {
      const witnessed = (name: string): boolean => {
        if (policy.witnesses.some((witness) => witness.name === name)) return cosigned.includes(name)
        const group = policy.groups.find((candidate) => candidate.name === name)
        return group !== undefined && group.members.filter(witnessed).length >= group.threshold
      }
      expect(quorumMet(policy, new Set(cosigned))).toBe(policy.quorum === 'none' || witnessed(policy.quorum))
    }),
    { numRuns: 1_000 },
  )
})

test('another cosignature never takes a quorum away', () => {
  fc.assert(
    fc.property(policies, subsets, fc.nat({ max: 7 }), (policy, cosigned, more) => {
      fc.pre(quorumMet(policy, new Set(cosigned)))
      expect(quorumMet(policy, new Set([...cosigned, `w${more}`]))).toBe(true)
    }),
  )
})

test('the name of a group among those who cosigned counts nothing', () => {
  fc.assert(
    fc.property(policies, (policy) => {
      const groups = new Set(policy.groups.map(({ name }) => name))
      expect(quorumMet(policy, groups)).toBe(policy.quorum === 'none')
    }),
  )
})

test('a policy that no text can say is not written', () => {
  const policy = parseTrustPolicy('quorum none\n')
  expect(() => formatTrustPolicy({ ...policy, quorum: 'nobody' })).toThrow('nobody is not defined before')
  expect(() => formatTrustPolicy({ ...policy, logs: [{ key: log.key, url: 'https://a.example b' }] })).toThrow(
    'at most a URL',
  )
  expect(() => formatTrustPolicy({ ...policy, logs: [{ key: log.key, url: '\nquorum none' }] })).toThrow(
    'a quorum already',
  )
})

test('any text is a policy or an invalid one, never a failure', () => {
  const lines = fc.constantFrom('log', 'witness', 'group', 'quorum', 'none', 'all', '1', 'a', '\t', '#', '\n', '\u0000')
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string({ unit: 'binary' }),
        fc.array(lines).map((items) => items.join(' ')),
      ),
      (text) => {
        try {
          parseTrustPolicy(text)
        } catch (error) {
          expect(error).toMatchObject({ code: 'invalid-trust-policy' })
        }
      },
    ),
    { numRuns: 500 },
  )
})

test('a policy larger than its limits is refused', () => {
  const many = Array.from({ length: 65 }, (_, i) => `group g${i + 1} all g${i}`).join('\n')
  const [key] = keys
  if (key === undefined) throw new Error('there are keys')
  const witness = formatTrustPolicy({
    logs: [],
    witnesses: [{ name: 'g0', key: cosignerKey('w', key), url: null }],
    groups: [],
    quorum: 'none',
  })
  expect(() => parseTrustPolicy(`${witness}${many}\n`)).toThrow('there are more than 64 of them')
  expect(() => parseTrustPolicy(`${'#'.repeat(250_000)}\nquorum none\n`)).toThrow('it is too long')
})
