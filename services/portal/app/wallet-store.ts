const databaseName = 'tillit-wallet'
const version = 1

/** A wallet's key pair in this browser; the private half cannot be taken out. */
export interface StoredKey {
  customer: string
  pair: CryptoKeyPair
  /** DID of the city that knows the key as the customer's, or null. */
  bound_to: string | null
}

export interface StoredCredential {
  customer: string
  type: string
  credential: string
  received_at: string
}

/** The customer's key here, or null. */
export function findKey(customer: string): Promise<StoredKey | null> {
  return withStore(
    'keys',
    'readonly',
    async (store) => (await done<StoredKey | undefined>(store.get(customer))) ?? null,
  )
}

/** Keeps the key unless one is there already (another tab was quicker); gives the one that is kept. */
export function keepKey(key: StoredKey): Promise<StoredKey> {
  return withStore('keys', 'readwrite', async (store) => {
    const there = await done<StoredKey | undefined>(store.get(key.customer))
    if (there !== undefined) return there
    await done(store.add(key))
    return key
  })
}

export async function markBound(key: StoredKey, authority: string): Promise<void> {
  await withStore('keys', 'readwrite', (store) => done(store.put({ ...key, bound_to: authority })))
}

export function findCredentials(customer: string): Promise<StoredCredential[]> {
  return withStore('credentials', 'readonly', (store) =>
    done<StoredCredential[]>(store.getAll(IDBKeyRange.bound([customer], [customer, []]))),
  )
}

export async function keepCredential(credential: StoredCredential): Promise<void> {
  await withStore('credentials', 'readwrite', (store) => done(store.put(credential)))
}

async function withStore<T>(
  name: 'keys' | 'credentials',
  mode: IDBTransactionMode,
  work: (store: IDBObjectStore) => Promise<T>,
): Promise<T> {
  const database = await open()
  try {
    return await work(database.transaction(name, mode).objectStore(name))
  } finally {
    database.close()
  }
}

function open(): Promise<IDBDatabase> {
  const request = indexedDB.open(databaseName, version)
  request.onupgradeneeded = () => {
    request.result.createObjectStore('keys', { keyPath: 'customer' })
    request.result.createObjectStore('credentials', { keyPath: ['customer', 'type'] })
  }
  return done(request)
}

function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })
}
