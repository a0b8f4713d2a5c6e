import { signerFromCryptoKeyPair, thumbprint } from '@tillit/keys'
import type { DeferredCredential, HeldCredential, KeyAlgorithm, WalletKey, WalletStore } from './wallet-store.ts'

const version = 1

/** What is needed of the browser's `indexedDB`, so that this file is checked without a browser's types. */
export interface IndexedDb {
  open(name: string, version: number): DatabaseRequest<Database>
}
interface DatabaseRequest<T> {
  readonly result: T
  readonly error: unknown
  addEventListener(type: string, listener: () => void): void
}
interface Database {
  createObjectStore(name: string, options: { keyPath: string }): unknown
  transaction(name: string, mode: 'readonly' | 'readwrite'): Transaction
  close(): void
}
interface Transaction {
  readonly error: unknown
  objectStore(name: string): ObjectStore
  addEventListener(type: string, listener: () => void): void
}
interface ObjectStore {
  get(key: string): DatabaseRequest<unknown>
  getAll(): DatabaseRequest<unknown[]>
  put(value: object): DatabaseRequest<unknown>
  delete(key: string): DatabaseRequest<unknown>
}

type KeyPair = Parameters<typeof signerFromCryptoKeyPair>[0]
interface Kept {
  keys: { readonly id: string; readonly pair: KeyPair }
  credentials: HeldCredential
  deferred: DeferredCredential
}

/** A wallet in a browser's IndexedDB. Its private keys are made non-extractable: not even the page can read them. */
export function createIndexedDbStore(indexedDb: IndexedDb, databaseName: string): WalletStore {
  const transact = <T>(
    name: keyof Kept,
    mode: 'readonly' | 'readwrite',
    work: (store: ObjectStore) => DatabaseRequest<T>,
  ) => withTransaction(indexedDb, { databaseName, name, mode }, work)
  const list = async <Name extends keyof Kept>(name: Name) =>
    (await transact(name, 'readonly', (store) => store.getAll())) as Kept[Name][]
  const put = async <Name extends keyof Kept>(name: Name, value: Kept[Name]) => {
    await transact(name, 'readwrite', (store) => store.put(value))
  }
  const remove = async (name: keyof Kept, id: string) => {
    await transact(name, 'readwrite', (store) => store.delete(id))
  }
  return {
    async createKey(alg) {
      const pair = await generatePair(alg)
      const key = await walletKey(pair)
      await put('keys', { id: key.id, pair })
      return key
    },
    async findKey(id) {
      const stored = (await transact('keys', 'readonly', (store) => store.get(id))) as Kept['keys'] | undefined
      return stored === undefined ? null : walletKey(stored.pair)
    },
    removeKey: (id) => remove('keys', id),
    listCredentials: () => list('credentials'),
    addCredential: (credential) => put('credentials', credential),
    removeCredential: (id) => remove('credentials', id),
    listDeferred: () => list('deferred'),
    addDeferred: (deferred) => put('deferred', deferred),
    removeDeferred: (id) => remove('deferred', id),
  }
}

async function generatePair(alg: KeyAlgorithm): Promise<KeyPair> {
  const algorithm = alg === 'EdDSA' ? { name: 'Ed25519' } : { name: 'ECDSA', namedCurve: 'P-256' }
  return (await crypto.subtle.generateKey(algorithm, false, ['sign', 'verify'])) as KeyPair
}

async function walletKey(pair: KeyPair): Promise<WalletKey> {
  const signer = await signerFromCryptoKeyPair(pair)
  return { id: thumbprint(signer.publicKey), signer }
}

interface Place {
  databaseName: string
  name: keyof Kept
  mode: 'readonly' | 'readwrite'
}

/** Gives the request's result once the transaction is complete: what was written is there then. */
async function withTransaction<T>(
  indexedDb: IndexedDb,
  { databaseName, name, mode }: Place,
  work: (store: ObjectStore) => DatabaseRequest<T>,
): Promise<T> {
  const database = await openDatabase(indexedDb, databaseName)
  try {
    const transaction = database.transaction(name, mode)
    const request = work(transaction.objectStore(name))
    await new Promise<void>((resolve, reject) => {
      transaction.addEventListener('complete', resolve)
      transaction.addEventListener('abort', () => reject(transaction.error))
    })
    return request.result
  } finally {
    database.close()
  }
}

function openDatabase(indexedDb: IndexedDb, name: string): Promise<Database> {
  const request = indexedDb.open(name, version)
  request.addEventListener('upgradeneeded', () => {
    const stores: Record<keyof Kept, true> = { keys: true, credentials: true, deferred: true }
    for (const store of Object.keys(stores)) request.result.createObjectStore(store, { keyPath: 'id' })
  })
  return new Promise((resolve, reject) => {
    request.addEventListener('success', () => resolve(request.result))
    request.addEventListener('error', () => reject(request.error))
  })
}
