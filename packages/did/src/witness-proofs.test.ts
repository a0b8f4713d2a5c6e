import { signerFromSeed } from '@tillit/keys'
import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import {
  didKeyFor,
  formatDidWitnessFile,
  parseDidWitnessFile,
  pruneWitnessProofs,
  verifyWitnessProofs,
  type WitnessedVersion,
  type WitnessProofs,
  witnessEntry,
  witnessedPrefix,
} from './index.ts'

const witnesses = await Promise.all([41, 42, 43].map((seed) => signerFromSeed(new Uint8Array(32).fill(seed))))
const ids = witnesses.map(({ publicKey }) => didKeyFor(publicKey))
const versionIds = ['1-Qma', '2-Qmb', '3-Qmc', '4-Qmd']
const time = new Date(Date.UTC(2026, 0, 1))

/** proofs[v][w]: the proof of witness w over version v. */
let proofs: WitnessProofs[][]

beforeAll(async () => {
  proofs = await Promise.all(
    [...versionIds, '5-QmNotYet'].map((versionId) =>
      Promise.all(witnesses.map((signer) => witnessEntry(versionId, signer, time))),
    ),
  )
})

function versions(lists: readonly (readonly number[])[], threshold: number): WitnessedVersion[] {
  return lists.map((list, index) => ({
    versionId: versionIds[index] ?? '',
    versionNumber: index + 1,
    requiredWitness:
      list.length === 0
        ? null
        : {
            threshold: Math.min(threshold, list.length),
            witnesses: list.map((witness) => ({ id: ids[witness] ?? '' })),
          },
  }))
}

const lists = fc.array(fc.subarray([0, 1, 2]), { minLength: 1, maxLength: 4 })
const given = fc.array(fc.tuple(fc.nat(4), fc.nat(2)), { maxLength: 8 })

test('a version counts when a threshold of its witnesses signed it or a later one, and all before it count', () => {
  fc.assert(
    fc.property(lists, fc.integer({ min: 1, max: 3 }), given, (required, threshold, chosen) => {
      const log = versions(required, threshold)
      const items = chosen.flatMap(([version, witness]) => proofs[version]?.[witness] ?? [])
      const counts = log.map(({ versionNumber, requiredWitness }, index) => {
        if (requiredWitness === null) return true
        const approving = new Set(
          chosen
            .filter(
              ([version, witness]) =>
                version + 1 >= versionNumber && version < log.length && required[index]?.includes(witness),
            )
            .map(([, witness]) => witness),
        )
        return approving.size >= requiredWitness.threshold
      })
      const expected = counts.includes(false) ? counts.indexOf(false) : counts.length
      expect(witnessedPrefix(log, items)).toBe(expected)
      // What is pruned proves as much as the whole.
      const pruned = pruneWitnessProofs(log, items)
      expect(witnessedPrefix(log, pruned)).toBe(expected)
      expect(witnessedPrefix(log, parseDidWitnessFile(formatDidWitnessFile(pruned)))).toBe(expected)
    }),
    { numRuns: 60 },
  )
})

test('of each witness only the newest proof is kept, and those of versions to come', () => {
  const log = versions([[0], [0], [0]], 1)
  const items = [0, 2, 1, 4].flatMap((version) => proofs[version]?.[0] ?? [])
  expect(pruneWitnessProofs(log, items).map(({ versionId }) => versionId)).toEqual(['3-Qmc', '5-QmNotYet'])
})

describe('whoever takes proofs in', () => {
  const item = (...chosen: number[]): WitnessProofs => ({
    versionId: '1-Qma',
    proof: chosen.flatMap((witness) => proofs[0]?.[witness]?.proof ?? []),
  })

  test('learns by whom they are', () => {
    expect(verifyWitnessProofs(item(2, 0), ids).map(({ witness }) => witness)).toEqual([ids[2], ids[0]])
  })

  test('refuses those of others, of another version, and one witness twice', () => {
    expect(() => verifyWitnessProofs(item(0, 2), ids.slice(0, 2))).toThrow(
      expect.objectContaining({ pointer: '/proof/1' }),
    )
    expect(() => verifyWitnessProofs({ ...item(0), versionId: '2-Qmb' }, ids)).toThrow('does not verify')
    expect(() => verifyWitnessProofs(item(0, 0), ids)).toThrow('stands twice')
  })
})

test('a file full of proofs that do not verify is not read to its end', () => {
  const good = proofs[0]?.[0]
  const bad = { ...good?.proof[0], created: '2026-01-02T00:00:00Z' }
  const file = (failing: number): WitnessProofs[] => [
    { versionId: '1-Qma', proof: Array<typeof bad>(failing).fill(bad) },
    ...(good === undefined ? [] : [good]),
  ]
  expect(witnessedPrefix(versions([[0]], 1), file(63))).toBe(1)
  expect(witnessedPrefix(versions([[0]], 1), file(64))).toBe(0)
})
