import { utf8 } from '@tillit/codec'
import { verifySignature } from '@tillit/keys'
import { expect, test } from 'vitest'
import { createDocumentStore, createMemoryWalletStore, type WalletDocument } from './document-store.ts'
import type { DeferredCredential, HeldCredential } from './wallet-store.ts'

const held: HeldCredential = {
  id: 'one',
  format: 'dc+sd-jwt',
  credential: 'a.b.c~',
  keyId: 'key',
  credentialIssuer: 'https://city.example',
  configurationId: 'MeteringPointEntitlement',
  receivedAt: '2026-11-22T12:00:00.000Z',
}
const deferred: DeferredCredential = {
  id: 'later',
  credentialIssuer: 'https://city.example',
  authorizationServer: 'https://city.example/oauth',
  configurationId: 'MeteringPointEntitlement',
  transactionId: 'transaction',
  keyIds: ['key'],
  accessToken: 'token',
  refreshToken: null,
  dpopKeyId: 'dpop',
  askAfter: '2026-11-22T12:00:00.000Z',
}

test.each(['EdDSA', 'ES256'] as const)('a %s key is found again under its thumbprint, and signs', async (alg) => {
  const store = createMemoryWalletStore()
  const { id, signer } = await store.createKey(alg)
  const found = await store.findKey(id)
  const message = utf8('a statement')
  const signature = await found?.signer.sign(message)
  expect(signature !== undefined && verifySignature(signer.publicKey, message, signature)).toBe(true)
  await store.removeKey(id)
  expect(await store.findKey(id)).toBeNull()
})

test('changes that are made at once all stay', async () => {
  const store = createMemoryWalletStore()
  const added = Array.from({ length: 20 }, (_, number) => ({ ...held, id: `credential ${number}` }))
  const keys = await Promise.all([
    ...[store.createKey('ES256'), store.createKey('EdDSA')],
    ...added.map(async (credential) => store.addCredential(credential)),
  ])
  expect((await store.listCredentials()).map(({ id }) => id).sort()).toEqual(added.map(({ id }) => id).sort())
  for (const key of keys.slice(0, 2)) expect(await store.findKey(key?.id ?? '')).not.toBeNull()
})

test('what is added again replaces what was there, and what is removed is gone', async () => {
  const store = createMemoryWalletStore()
  await store.addCredential(held)
  await store.addCredential({ ...held, configurationId: 'Other' })
  await store.addDeferred(deferred)
  await store.addDeferred({ ...deferred, accessToken: 'newer' })
  expect(await store.listCredentials()).toEqual([{ ...held, configurationId: 'Other' }])
  expect(await store.listDeferred()).toEqual([{ ...deferred, accessToken: 'newer' }])
  await store.removeCredential(held.id)
  await store.removeDeferred(deferred.id)
  expect([await store.listCredentials(), await store.listDeferred()]).toEqual([[], []])
})

test('a change that could not be saved is told to whoever asked, and the next one goes on from what is kept', async () => {
  let kept: WalletDocument | null = null
  let full = true
  const store = createDocumentStore({
    load: async () => kept,
    save: async (document) => {
      if (full) throw new Error('no room')
      kept = document
    },
  })
  await expect(store.addCredential(held)).rejects.toThrow('no room')
  full = false
  await store.addDeferred(deferred)
  expect(kept).toEqual({ keys: [], credentials: [], deferred: [deferred] })
})
