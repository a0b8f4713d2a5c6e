import { canonicalJson } from '@tillit/codec'
import { signerFromSeed } from '@tillit/keys'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createDid, nextDidState, updateDid, verifyDidEntry, verifyDidLogStates } from './index.ts'

test('the canonical text that verifying an entry gives is that of the entry, whatever its document holds', async () => {
  const signer = await signerFromSeed(new Uint8Array(32).fill(51))
  const { entry: genesis, state } = await createDid({ host: 'a.example', path: ['b'], signer, now: new Date(1000) })
  await fc.assert(
    fc.asyncProperty(
      fc.dictionary(fc.stringMatching(/^[a-zA-Z" \u00e9]{1,8}$/), fc.string({ unit: 'grapheme' })),
      async (members) => {
        const document = () => ({ ...members, ...state.document })
        const entry = await updateDid(state, { signer, now: new Date(2000), document })
        const now = new Date(3000)
        expect((await verifyDidEntry({ state, entry, now })).canonicalText).toBe(canonicalJson(entry))
      },
    ),
    { numRuns: 50 },
  )
  const { canonicalText } = await verifyDidEntry({ state: null, entry: genesis, now: new Date(3000) })
  expect(canonicalText).toBe(canonicalJson(genesis))
})

test('between the entries of a long log other work gets its turn', async () => {
  const signer = await signerFromSeed(new Uint8Array(32).fill(52))
  const { entry, state } = await createDid({ host: 'a.example', path: ['b'], signer, now: new Date(0) })
  const log = [entry]
  let newest = state
  for (let second = 1; second <= 80; second++) {
    const next = await updateDid(newest, { signer, now: new Date(second * 1000) })
    log.push(next)
    newest = nextDidState({ state: newest, entry: next, now: new Date(100_000) })
  }
  let turns = 0
  const turn = setInterval(() => turns++)
  const readInTurns = new Set<number>()
  const observed = new Proxy(log, {
    get: (target, name) => {
      if (name === '0' || name === '79') readInTurns.add(turns)
      return Reflect.get(target, name)
    },
  })
  const { states, fault } = await verifyDidLogStates(observed, { now: new Date(100_000) })
  clearInterval(turn)
  expect([states.length, fault, readInTurns.size]).toEqual([81, null, 2])
})
