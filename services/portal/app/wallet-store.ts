const databaseName = 'tillit-wallet'
const version = 2

/** The key pair that signs a customer's statements in this browser; the private half cannot be taken out. */
export interface StoredKey {
  customer: string
  pair: CryptoKeyPair
  /** DID of the city that knows the key as the customer's, or null. */
  bound_to: string | null
}

/** The customer's key here, or null. */
export function findKey(customer: string): Promise<StoredKey | null> {
  return withStore('readonly', async (store) => (await done<StoredKey | undefined>(store.get(customer))) ?? null)
}

/** Keeps the key unless one is there already (another tab was quicker); gives the one that is kept. */
export function keepKey(key: StoredKey): Promise<StoredKey> {
  return withStore('readwrite', async (store) => {
    const there = await done<StoredKey | undefined>(store.get(key.customer))
    if (there !== undefined) return there
    await done(store.add(key))
    return key
  })
}

export async function markBound(key: StoredKey, authority: string): Promise<void> {
  await withStore('readwrite', (store) => done(store.put({ ...key, bound_to: authority })))
}

async function withStore<T>(mode: IDBTransactionMode, work: (store: IDBObjectStore) => Promise<T>): Promise<T> {
  const database = await open()
  try {
    return await work(database.transaction('keys', mode).objectStore('keys'))
  } finally {
    database.close()
  }
}

function open(): Promise<IDBDatabase> {
  const request = indexedDB.open(databaseName, version)
  request.onupgradeneeded = ({ oldVersion }) => {
    if (oldVersion < 1) request.result.createObjectStore('keys', { keyPath: 'customer' })
    // Credentials were kept here once; they are received again, into a wallet with keys of their own.
    else request.result.deleteObjectStore('credentials')
  }
  return done(request)
}

function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })
}
