import { canonicalJson } from '@tillit/codec'
import { signerFromSeed } from '@tillit/keys'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createDid, updateDid, verifyDidEntry } from './index.ts'

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
