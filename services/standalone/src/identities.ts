import { createDid, type DidState } from '@tillit/did'
import { type PrivateJwk, type Signer, signerFromJwk, toMultikey } from '@tillit/keys'
import type { DidLogEntry } from '@tillit/schemas'
import type { KeyStore } from './key-store.ts'

/** A DID whose key this process holds, with the genesis entry that the registry is asked to accept. */
export interface Identity {
  name: string
  did: string
  keyId: string
  signer: Signer
  privateJwk: PrivateJwk
  genesis: DidLogEntry
}

export interface IdentityOptions {
  /** Host part of the DID. */
  host: string
  /** Last part of the DID; opaque for whoever is unlisted. */
  slug: string
  now: Date
}

interface StoredIdentity {
  did: string
  key_id: string
  private_jwk: PrivateJwk
  genesis: DidLogEntry
}

/** The identity kept under that name; made on first use, the same one ever after. */
export async function openIdentity(keys: KeyStore, name: string, options: IdentityOptions): Promise<Identity> {
  const privateJwk = await keys.privateJwk(name)
  const signer = await signerFromJwk(privateJwk)
  const text = await keys.secret(`${name}.identity.json`, async () => {
    const { did, entry, state } = await createDid({
      host: options.host,
      path: ['dids', options.slug],
      signer,
      now: options.now,
    })
    const stored: StoredIdentity = { did, key_id: keyIdOf(state, signer), private_jwk: privateJwk, genesis: entry }
    return JSON.stringify(stored)
  })
  const stored = JSON.parse(text) as StoredIdentity
  return { name, did: stored.did, keyId: stored.key_id, signer, privateJwk, genesis: stored.genesis }
}

/** The verification method of the signer's key in the document. */
function keyIdOf(state: DidState, signer: Signer): string {
  const multikey = toMultikey(signer.publicKey)
  const method = state.document?.verificationMethod?.find((candidate) => candidate.publicKeyMultibase === multikey)
  if (method === undefined) throw new Error('the genesis document does not hold the key that signed it')
  return method.id.startsWith('#') ? state.did + method.id : method.id
}
