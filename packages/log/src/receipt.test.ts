import { fromHex, sha256, toBase64url, toHex, utf8 } from '@tillit/codec'
import { mlDsa44SignerFromSeed, signerFromSeed } from '@tillit/keys'
import type { Opening, Receipt } from '@tillit/schemas'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { appendLeaves, emptyEdge } from './append-leaves.ts'
import { formatCheckpoint, signCheckpoint } from './checkpoint.ts'
import { commit, saltBytes } from './commit.ts'
import { cosignCheckpoint } from './cosignature.ts'
import { cosignerKey, formatCosignerKey } from './cosigner-key.ts'
import { encodeEntryBundle, parseEntryBundle } from './entry-bundle.ts'
import { logEntry, parseLogEntry } from './log-entry.ts'
import { leafHash } from './merkle.ts'
import { createProver } from './prover.ts'
import { formatReceiptText, verifyReceiptText } from './receipt-text.ts'
import { createTileMemory } from './tile-memory.ts'
import { formatTlogProof } from './tlog-proof.ts'
import { parseTrustPolicy } from './trust-policy.ts'
import { formatVerifierKey, verifierKey } from './verifier-key.ts'
import { verifyReceipt } from './verify-receipt.ts'

const origin = 'city.example/log'
const signer = await signerFromSeed(new Uint8Array(32).fill(1))
const witness = await signerFromSeed(new Uint8Array(32).fill(2))
const quantumWitness = await mlDsa44SignerFromSeed(new Uint8Array(32).fill(3))
const vkey = formatVerifierKey(verifierKey(origin, signer.publicKey))
const witnessVkey = formatCosignerKey(cosignerKey('w.example', witness.publicKey))
const quantumVkey = formatCosignerKey(cosignerKey('w.example', quantumWitness.publicKey))
const policy = parseTrustPolicy(
  `log ${vkey}\nwitness classic ${witnessVkey}\nwitness quantum ${quantumVkey}\ngroup both all classic quantum\nquorum both\n`,
)

async function makeReceipt({ saltIsPublic = true, cosigned = true, index = 77 } = {}): Promise<Receipt> {
  const salt = new Uint8Array(saltBytes).fill(8)
  const entry = { at: '2026-03-01T12:00:00Z', caller_name: 'Rådgiver', values: 31 }
  const commitment = commit(salt, entry)
  const entryBytes = logEntry(commitment, saltIsPublic ? salt : null)
  const leaves = Array.from({ length: 300 }, (_, i) => leafHash(i === index ? entryBytes : sha256(utf8(String(i)))))
  const { changed, root } = appendLeaves(emptyEdge, leaves)
  const memory = createTileMemory()
  memory.put(changed)
  const hashes = await createProver(memory).inclusionProof(index, leaves.length)
  const head = { origin, size: leaves.length, root }
  let checkpoint = await signCheckpoint(head, signer)
  if (cosigned)
    for (const cosigner of [witness, quantumWitness])
      checkpoint += await cosignCheckpoint(formatCheckpoint(head), {
        ...{ name: 'w.example', signer: cosigner, timestampSeconds: 1_772_366_400 },
      })
  const opening: Opening = { kind: 'access-record', entry, salt: toBase64url(salt), commitment: toHex(commitment) }
  const proof = formatTlogProof({ index, hashes, checkpoint })
  const log = { origin, vkey, self_witnessed: false }
  const leaf = { commitment: opening.commitment, entry: toHex(entryBytes), index, proof, anchor: null, log }
  return { type: 'tillit-receipt/v1', city: 'https://city.example', opening, leaf }
}

function changed(receipt: Receipt, change: (leaf: NonNullable<Receipt['leaf']>) => object): Receipt {
  if (receipt.leaf === null) throw new Error('the test is wrong')
  return { ...receipt, leaf: { ...receipt.leaf, ...change(receipt.leaf) } }
}

describe('entries', () => {
  const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })

  test('come back from their bytes and from their bundle', () => {
    const entry = fc.record({ commitment: bytes(32), publicSalt: fc.option(bytes(16)) })
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 256 }), (entries) => {
        const encoded = entries.map(({ commitment, publicSalt }) => logEntry(commitment, publicSalt))
        const parsed = parseEntryBundle(encodeEntryBundle(encoded))
        expect(parsed.map(toHex)).toEqual(encoded.map(toHex))
        expect(parsed.map(parseLogEntry)).toEqual(entries)
      }),
    )
  })

  test('of any other length than 32 and 48 bytes are refused', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (entry) => {
        fc.pre(entry.length !== 32 && entry.length !== 48)
        expect(() => parseLogEntry(entry)).toThrow(expect.objectContaining({ code: 'invalid-proof' }))
        expect(() => encodeEntryBundle([entry])).toThrow(RangeError)
      }),
    )
  })

  test('a bundle that is cut off anywhere is refused', () => {
    const bundle = encodeEntryBundle([logEntry(new Uint8Array(32)), logEntry(new Uint8Array(32), new Uint8Array(16))])
    for (let length = 1; length < bundle.length; length++) {
      if (length === 34) continue
      expect(() => parseEntryBundle(bundle.slice(0, length))).toThrow(
        expect.objectContaining({ code: 'invalid-proof' }),
      )
    }
  })
})

describe('a receipt', () => {
  test('verifies by itself, by a key, and by a policy whose quorum has cosigned', async () => {
    for (const saltIsPublic of [true, false]) {
      const receipt = await makeReceipt({ saltIsPublic })
      expect(verifyReceipt(receipt).cosignedBy).toBeNull()
      expect(verifyReceipt(receipt, { vkey })).toMatchObject({ index: 77, size: 300 })
      const { cosignedBy } = verifyReceipt(receipt, { policy })
      expect(cosignedBy?.map(({ name }) => name)).toEqual(['classic', 'quantum'])
    }
  })

  test('without the cosignatures of the quorum is refused under the policy', async () => {
    const receipt = await makeReceipt({ cosigned: false })
    expect(() => verifyReceipt(receipt, { policy })).toThrow(
      expect.objectContaining({ code: 'checkpoint-not-witnessed' }),
    )
  })

  test('with another salt or another entry than the log holds is refused', async () => {
    const receipt = await makeReceipt()
    const other = logEntry(fromHex(receipt.opening.commitment), new Uint8Array(saltBytes).fill(1))
    for (const entry of [toHex(other), receipt.opening.commitment, '00'.repeat(48), 'zz', undefined])
      expect(() => verifyReceipt(changed(receipt, () => ({ entry })))).toThrow(
        expect.objectContaining({ code: expect.stringMatching(/^invalid-(receipt|proof)$/) }),
      )
  })
})

describe('a receipt as text', () => {
  test('verifies with no more than a key or a policy', async () => {
    for (const saltIsPublic of [true, false]) {
      const receipt = await makeReceipt({ saltIsPublic })
      const text = formatReceiptText(receipt)
      expect(verifyReceiptText(text, { vkey })).toMatchObject({ index: 77, size: 300, opening: receipt.opening })
      expect(verifyReceiptText(text, { policy }).cosignedBy?.length).toBe(2)
      expect(() => verifyReceiptText(text, { vkey: otherVkey })).toThrow()
    }
  })

  test('is refused when any byte of it is changed', async () => {
    // Every line of it speaks of this policy, so there is nothing that may be ignored.
    const text = formatReceiptText(await makeReceipt())
    const bytes = utf8(text)
    fc.assert(
      fc.property(fc.nat({ max: bytes.length - 1 }), fc.integer({ min: 1, max: 255 }), (at, flipped) => {
        const damaged = bytes.slice()
        damaged[at] = (damaged[at] ?? 0) ^ flipped
        expect(() => verifyReceiptText(new TextDecoder().decode(damaged), { policy })).toThrow(
          expect.objectContaining({ name: 'Problem' }),
        )
      }),
      { numRuns: 1500 },
    )
  })

  test('is refused when it is cut off or something is added to it', async () => {
    const text = formatReceiptText(await makeReceipt())
    for (let length = 0; length < text.length; length += 13)
      expect(() => verifyReceiptText(text.slice(0, length), { policy })).toThrow()
    for (const added of ['\n', ' ', 'x', '\n\n']) expect(() => verifyReceiptText(text + added, { policy })).toThrow()
  })

  test('needs an opening in its extra data', async () => {
    const { leaf } = await makeReceipt()
    expect(() => verifyReceiptText(leaf?.proof ?? '', { vkey })).toThrow('it holds no opening')
  })

  test('cannot be made of a receipt that the log has not taken yet', async () => {
    expect(() => formatReceiptText({ ...placeholder, leaf: null })).toThrow(
      expect.objectContaining({ code: 'log-entry-not-found' }),
    )
  })
})

const otherVkey = formatVerifierKey(verifierKey(origin, witness.publicKey))
const placeholder = await makeReceipt()
