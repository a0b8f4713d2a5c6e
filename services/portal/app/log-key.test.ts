import { type Signer, signerFromSeed } from '@tillit/keys'
import { formatVerifierKey, signCheckpoint, verifierKey } from '@tillit/log'
import { describe, expect, test } from 'vitest'
import { followLogKey, holdLogKey, replaceLogKey } from './log-key.ts'

const first = 'city.example/log+0a0b0c0d+AbC+d'
const later = new Date('2026-06-02T00:00:00Z')

function emptyStorage(): Storage {
  const items = new Map<string, string>()
  return {
    length: 0,
    clear: () => items.clear(),
    key: () => null,
    removeItem: (name) => void items.delete(name),
    getItem: (name) => items.get(name) ?? null,
    setItem: (name, value) => void items.set(name, value),
  }
}

test('the first key is kept, and no later one takes its place by itself', () => {
  const storage = emptyStorage()
  const since = '2026-06-01T00:00:00.000Z'
  const seen = { vkey: first, since }
  expect(holdLogKey(first, storage, new Date(since))).toEqual({ ...seen, changed: false })
  expect(holdLogKey('city.example/log+00000000+other', storage, later)).toEqual({ ...seen, changed: true })
  expect(holdLogKey(first, storage, later)).toEqual({ ...seen, changed: false })
})

test('a new key is trusted once the customer says so', () => {
  const storage = emptyStorage()
  holdLogKey(first, storage, new Date('2026-06-01T00:00:00Z'))
  replaceLogKey('new', storage, later)
  expect(holdLogKey('new', storage)).toEqual({ vkey: 'new', since: later.toISOString(), changed: false })
  expect(holdLogKey(first, storage).changed).toBe(true)
})

test('what is kept but cannot be read counts as another key', () => {
  const storage = emptyStorage()
  storage.setItem('tillit-log-key', 'nonsense')
  expect(holdLogKey(first, storage).changed).toBe(true)
})

describe('a log that names another key', async () => {
  const origin = 'city.example/log'
  const signers = await Promise.all([1, 2, 3].map((seed) => signerFromSeed(new Uint8Array(32).fill(seed))))
  const [older, newer, third] = signers
  if (!older || !newer || !third) throw new Error('the test has three keys')
  const vkeyOf = ({ publicKey }: Signer, name = origin) => formatVerifierKey(verifierKey(name, publicKey))
  async function signedBy(...by: Signer[]): Promise<string> {
    const notes = await Promise.all(
      by.map((signer) => signCheckpoint({ origin, size: 7, root: new Uint8Array(32) }, signer)),
    )
    return notes.map((note, i) => (i === 0 ? note : note.slice(note.indexOf('\n\n') + 2))).join('')
  }
  const heldIn = (storage: Storage) => {
    holdLogKey(vkeyOf(older), storage, new Date('2026-06-01T00:00:00Z'))
    return holdLogKey(vkeyOf(newer), storage, later)
  }

  test('is followed while both keys sign, and the new key is held from then on', async () => {
    const storage = emptyStorage()
    const followed = followLogKey(
      heldIn(storage),
      { named: vkeyOf(newer), checkpoint: await signedBy(newer, older) },
      storage,
      later,
    )
    expect(followed).toEqual({ vkey: vkeyOf(newer), since: later.toISOString(), changed: false })
    expect(holdLogKey(vkeyOf(newer), storage)).toEqual(followed)
    expect(holdLogKey(vkeyOf(older), storage).changed).toBe(true)
  })

  const wrong = (note: string) => note.replace('\n7\n', '\n8\n')
  test.each<[string, string, () => Promise<string>]>([
    ['only the new key has signed', vkeyOf(newer), () => signedBy(newer)],
    ['only the old key has signed', vkeyOf(newer), () => signedBy(older)],
    ['the new key and a third one have signed', vkeyOf(newer), () => signedBy(newer, third)],
    ['both signatures are of something else', vkeyOf(newer), async () => wrong(await signedBy(newer, older))],
    ['the new key is of another log', vkeyOf(newer, 'town.example/log'), () => signedBy(newer, older)],
    ['the new key is none', 'other+00000000+AAAA', () => signedBy(newer, older)],
    ['the checkpoint is none', vkeyOf(newer), async () => '<html>'],
  ])('is not followed when %s', async (_, named, checkpoint) => {
    const storage = emptyStorage()
    const held = heldIn(storage)
    expect(followLogKey(held, { named, checkpoint: await checkpoint() }, storage, later)).toEqual(held)
    expect(holdLogKey(vkeyOf(newer), storage).vkey).toBe(vkeyOf(older))
  })
})
