import { mlDsa44SignerFromSeed, type Signer, signerFromSeed } from '@tillit/keys'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { formatCheckpoint, signCheckpoint } from './checkpoint.ts'
import { cosignCheckpoint, verifyCosignature } from './cosignature.ts'
import { cosignerKey, formatCosignerKey, parseCosignerKey } from './cosigner-key.ts'

const logSigner = await signerFromSeed(new Uint8Array(32).fill(1))
const signers = {
  ed25519: await signerFromSeed(new Uint8Array(32).fill(2)),
  'ml-dsa-44': await mlDsa44SignerFromSeed(new Uint8Array(32).fill(3)),
}
const name = 'witness.example/w1'

const checkpoints = fc.record({
  origin: fc.stringMatching(/^[a-z.]{1,20}$/),
  size: fc.maxSafeNat(),
  root: fc.uint8Array({ minLength: 32, maxLength: 32 }),
})

describe.each(['ed25519', 'ml-dsa-44'] as const)('a cosignature with %s', (type) => {
  const signer = signers[type]
  const key = parseCosignerKey(formatCosignerKey(cosignerKey(name, signer.publicKey)))

  test('verifies for any tree and any second', async () => {
    await fc.assert(
      fc.asyncProperty(checkpoints, fc.maxSafeNat(), async (checkpoint, timestampSeconds) => {
        const note = await signCheckpoint(checkpoint, logSigner)
        const line = await cosignCheckpoint(formatCheckpoint(checkpoint), { name, signer, timestampSeconds })
        expect(verifyCosignature(note + line, key)).toEqual({ timestampSeconds })
      }),
      { numRuns: 20 },
    )
  })

  test('says another tree when any of its three lines is another', async () => {
    await fc.assert(
      fc.asyncProperty(checkpoints, checkpoints, async (one, other) => {
        const line = await cosignCheckpoint(formatCheckpoint(one), { name, signer, timestampSeconds: 1 })
        for (const mixed of [
          { ...one, origin: other.origin },
          { ...one, size: other.size },
          { ...one, root: other.root },
        ]) {
          fc.pre(formatCheckpoint(mixed) !== formatCheckpoint(one))
          const note = await signCheckpoint(mixed, logSigner)
          expect(() => verifyCosignature(note + line, key)).toThrow(`the cosignature of ${name} is wrong`)
        }
      }),
      { numRuns: 20 },
    )
  })

  test('with any bit changed is another key’s or none', async () => {
    const checkpoint = { origin: 'city.example/log', size: 3, root: new Uint8Array(32) }
    const note = await signCheckpoint(checkpoint, logSigner)
    const line = await cosignCheckpoint(formatCheckpoint(checkpoint), { name, signer, timestampSeconds: 1 })
    const bytes = Buffer.from(line.trim().split(' ')[2] ?? '', 'base64')
    fc.assert(
      fc.property(fc.nat({ max: bytes.length - 1 }), fc.nat({ max: 7 }), (at, bit) => {
        const changed = Buffer.from(bytes)
        changed[at] = (changed[at] ?? 0) ^ (1 << bit)
        const verify = () => verifyCosignature(`${note}— ${name} ${changed.toString('base64')}\n`, key)
        // The first four bytes name the key.
        if (at < 4) expect(verify()).toBe(null)
        else expect(verify).toThrow(/is wrong|out of range/)
      }),
    )
  })

  test('is given for checkpoints only, and for times that exist', async () => {
    await expect(cosignCheckpoint('one line\n', { name, signer, timestampSeconds: 1 })).rejects.toMatchObject({
      code: 'invalid-checkpoint',
    })
    const text = formatCheckpoint({ origin: 'o', size: 0, root: new Uint8Array(32) })
    for (const timestampSeconds of [-1, 0.5, Number.NaN, 2 ** 53])
      await expect(cosignCheckpoint(text, { name, signer, timestampSeconds })).rejects.toThrow()
  })
})

test('the two keys of one witness are told apart on one note', async () => {
  const checkpoint = { origin: 'city.example/log', size: 3, root: new Uint8Array(32) }
  let note = await signCheckpoint(checkpoint, logSigner)
  for (const [timestampSeconds, signer] of [
    [5, signers.ed25519],
    [6, signers['ml-dsa-44']],
  ] as const)
    note += await cosignCheckpoint(formatCheckpoint(checkpoint), { name, signer, timestampSeconds })
  const times = Object.values(signers).map(({ publicKey }) => verifyCosignature(note, cosignerKey(name, publicKey)))
  expect(times).toEqual([{ timestampSeconds: 5 }, { timestampSeconds: 6 }])
})

test('a key that cannot cosign is refused, and so is a name that no line can hold', () => {
  const other = { alg: 'ES256', bytes: new Uint8Array(33) } as Signer['publicKey']
  expect(() => cosignerKey(name, other)).toThrow('neither an Ed25519 nor an ML-DSA-44 key')
  for (const bad of ['', 'a b', 'a+b', 'a\u00a0b', 'a\nb', '\ud800'])
    expect(() => cosignerKey(bad, logSigner.publicKey)).toThrow('name')
})
