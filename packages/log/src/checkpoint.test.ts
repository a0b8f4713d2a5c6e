import { signerFromSeed } from '@tillit/keys'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { signCheckpoint, verifyCheckpoint } from './checkpoint.ts'
import { rootOfLeaves } from './merkle.ts'
import { parseNote, verifyNote } from './note.ts'
import { formatVerifierKey, parseVerifierKey, verifierKey } from './verifier-key.ts'

const signer = await signerFromSeed(new Uint8Array(32).fill(7))
const key = verifierKey('city.example/log', signer.publicKey)
const checkpoint = { origin: 'city.example/log', size: 3, root: rootOfLeaves([]) }

describe('a checkpoint', () => {
  test('comes back as it was signed', async () => {
    const note = await signCheckpoint(checkpoint, signer)
    expect(verifyCheckpoint(note, parseVerifierKey(formatVerifierKey(key)))).toEqual(checkpoint)
  })

  test('keeps its signature when a witness adds one', async () => {
    const note = await signCheckpoint(checkpoint, signer)
    const witnessed = `${note}— witness.example AAAAAAAAAAAAAAAA\n`
    expect(verifyCheckpoint(witnessed, key)).toEqual(checkpoint)
    expect(parseNote(witnessed).signatures.map(({ name }) => name)).toEqual(['city.example/log', 'witness.example'])
  })

  test('with any character changed is refused', async () => {
    const note = await signCheckpoint(checkpoint, signer)
    fc.assert(
      fc.property(
        fc.nat({ max: note.length - 1 }),
        fc.constantFrom('A', '9', '\n', ' ', '+', '\u0000'),
        (at, other) => {
          fc.pre(note.charAt(at) !== other)
          expect(() => verifyNote(note.slice(0, at) + other + note.slice(at + 1), key)).toThrow()
        },
      ),
    )
  })

  test('signed under another name is not the log’s', async () => {
    const note = await signCheckpoint({ ...checkpoint, origin: 'other.example' }, signer)
    expect(() => verifyCheckpoint(note, key)).toThrow('it is not signed by city.example/log')
  })
})
