import { generatePrivateJwk, type PrivateJwk, parsePublicJwk, signerFromJwk, thumbprint } from '@tillit/keys'
import type { DeferredCredential, HeldCredential, WalletKey, WalletStore } from './wallet-store.ts'

/** A whole wallet as one JSON document. It holds private keys: whoever reads it is its holder. */
export interface WalletDocument {
  readonly keys: readonly PrivateJwk[]
  readonly credentials: readonly HeldCredential[]
  readonly deferred: readonly DeferredCredential[]
}

/** Where the document is kept. `save` replaces it whole, or leaves the one before. */
export interface DocumentPlace {
  load(): Promise<WalletDocument | null>
  save(document: WalletDocument): Promise<void>
}

const empty: WalletDocument = { keys: [], credentials: [], deferred: [] }

/** A wallet in one document: a file of its owner's only, say. Two stores over one place must not write at once. */
export function createDocumentStore(place: DocumentPlace): WalletStore {
  let last: Promise<unknown> = Promise.resolve()
  const read = async () => (await place.load()) ?? empty
  /** One change after another: of two at once one would be lost. */
  const change = (next: (document: WalletDocument) => WalletDocument): Promise<void> => {
    const turn = last.then(async () => place.save(next(await read())))
    last = turn.catch(() => undefined) // whoever asked for this change is told; the next one starts from what is kept
    return turn
  }
  return {
    async createKey(alg) {
      const jwk = await generatePrivateJwk(alg)
      await change((document) => ({ ...document, keys: [...document.keys, jwk] }))
      return walletKey(jwk)
    },
    async findKey(id) {
      const jwk = (await read()).keys.find((key) => idOf(key) === id)
      return jwk === undefined ? null : walletKey(jwk)
    },
    removeKey: (id) => change((document) => ({ ...document, keys: document.keys.filter((key) => idOf(key) !== id) })),
    listCredentials: async () => (await read()).credentials,
    addCredential: (credential) =>
      change((document) => ({
        ...document,
        credentials: [...without(document.credentials, credential.id), credential],
      })),
    removeCredential: (id) => change((document) => ({ ...document, credentials: without(document.credentials, id) })),
    listDeferred: async () => (await read()).deferred,
    addDeferred: (deferred) =>
      change((document) => ({ ...document, deferred: [...without(document.deferred, deferred.id), deferred] })),
    removeDeferred: (id) => change((document) => ({ ...document, deferred: without(document.deferred, id) })),
  }
}

/** A wallet that is gone with the process: for tests, and for holders that keep nothing. */
export function createMemoryWalletStore(): WalletStore {
  let document: WalletDocument | null = null
  return createDocumentStore({
    load: async () => document,
    save: async (next) => {
      document = next
    },
  })
}

async function walletKey(jwk: PrivateJwk): Promise<WalletKey> {
  return { id: idOf(jwk), signer: await signerFromJwk(jwk) }
}

function idOf({ d: _secret, ...jwk }: PrivateJwk): string {
  return thumbprint(parsePublicJwk(jwk))
}

function without<T extends { readonly id: string }>(items: readonly T[], id: string): T[] {
  return items.filter((item) => item.id !== id)
}
