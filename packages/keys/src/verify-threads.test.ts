import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { beforeAll, expect, test } from 'vitest'
import { type Signer, signerFromSeed, verifySignatureAsync } from './index.ts'

let signers: Signer[]

beforeAll(async () => {
  signers = await Promise.all([1, 2, 3].map((seed) => signerFromSeed(new Uint8Array(32).fill(seed))))
})

async function signed(index: number) {
  const signer = signers[index % signers.length]
  if (signer === undefined) throw new Error('there is a signer for each index')
  const message = new Uint8Array(index * 7).fill(index)
  return { key: signer.publicKey, message, signature: await signer.sign(message) }
}

test.each([1, 3, 4, 15, 16, 17, 100])('%i signatures at once each get their own verdict', async (count) => {
  const all = await Promise.all(Array.from({ length: count }, (_, index) => signed(index)))
  const forged = (index: number) => index % 5 === 2
  const verdicts = await Promise.all(
    all.map(({ key, message, signature }, index) =>
      verifySignatureAsync(
        key,
        message,
        forged(index) ? signature.map((byte, at) => byte ^ (at === 40 ? 1 : 0)) : signature,
      ),
    ),
  )
  expect(verdicts).toEqual(all.map((_, index) => !forged(index)))
})

test('a message may be changed once many were handed over together', async () => {
  const all = await Promise.all(Array.from({ length: 16 }, (_, index) => signed(index + 1)))
  const verdicts = all.map(({ key, message, signature }) => verifySignatureAsync(key, message, signature))
  for (const { message } of all) message.fill(0)
  expect(await Promise.all(verdicts)).toEqual(all.map(() => true))
})

test('a process that verified many ends by itself', async () => {
  const program = `
    const { signerFromSeed, verifySignatureAsync } = await import(${JSON.stringify(new URL('./index.ts', import.meta.url).href)})
    const { publicKey, sign } = await signerFromSeed(new Uint8Array(32).fill(1))
    const message = new Uint8Array(64)
    const signature = await sign(message)
    const all = Array.from({ length: 40 }, () => verifySignatureAsync(publicKey, message, signature))
    console.log((await Promise.all(all)).filter((verified) => verified).length)`
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', program])
  expect(stdout).toBe('40\n')
})
