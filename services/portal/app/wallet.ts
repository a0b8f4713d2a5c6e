import { CityError, createAcceptance, createCredentialProof, createKeyBinding, createStatement } from '@tillit/client'
import { type Signer, signerFromCryptoKeyPair } from '@tillit/keys'
import type { Acknowledgement, Permission, Scope } from '@tillit/schemas'
import { type Authority, city } from './city.ts'
import { findKey, keepCredential, keepKey, markBound, type StoredCredential, type StoredKey } from './wallet-store.ts'

/** The version of the words that the page shows before somebody accepts. */
const notice = { version: '1', locale: 'en' }
const entitlement = 'MeteringPointEntitlement'

/** Signs in the customer's name, with a key that this browser made and cannot give away. */
export interface Wallet {
  customer: string
  accept(permission: Permission, scope: Scope): Promise<Acknowledgement>
  reject(permission: Permission): Promise<Acknowledgement>
  revoke(permission: Permission): Promise<Acknowledgement>
  /** Asks for the credential that says which metering point is the customer's, and keeps it. */
  receiveEntitlement(): Promise<StoredCredential>
}

/** The customer's wallet in this browser: made and bound on the first sign-in, and again when its key is lost. */
export async function openWallet(customer: string, authority: Authority): Promise<Wallet> {
  const key = (await findKey(customer)) ?? (await keepKey({ customer, pair: await newKeyPair(), bound_to: null }))
  const signer = await signerFromCryptoKeyPair(key.pair)
  if (key.bound_to !== authority.did) await bind(key, signer, authority)

  /** A city that forgot the key (its data was made anew) is told again, once. */
  const whenBound = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof CityError && error.code === 'key-not-bound')) throw error
      await bind(key, signer, authority)
      return work()
    }
  }
  const state = async (action: 'reject' | 'revoke', permission: Permission): Promise<Acknowledgement> => {
    const path = action === 'reject' ? 'rejection' : 'revocation'
    const statement = await createStatement(action, permission.id, {
      signer,
      now: new Date(),
      authority: authority.did,
    })
    return city.post(`/permissions/${permission.id}/${path}`, { statement })
  }

  return {
    customer,
    accept: (permission, scope) =>
      whenBound(async () => {
        const statement = await createAcceptance(permission, scope, { signer, now: new Date(), notice })
        return city.post(`/permissions/${permission.id}/acceptance`, { statement })
      }),
    reject: (permission) => whenBound(() => state('reject', permission)),
    revoke: (permission) => whenBound(() => state('revoke', permission)),
    receiveEntitlement: () => whenBound(() => receiveEntitlement(customer, signer)),
  }
}

async function newKeyPair(): Promise<CryptoKeyPair> {
  return (await crypto.subtle.generateKey({ name: 'Ed25519' }, false, ['sign', 'verify'])) as CryptoKeyPair
}

async function bind(key: StoredKey, signer: Signer, authority: Authority): Promise<void> {
  const statement = await createKeyBinding(key.customer, { signer, now: new Date(), authority: authority.did })
  await city.post('/wallet/keys', { statement })
  await markBound(key, authority.did)
}

/** OpenID4VCI 1.0 in small: a nonce, a proof of possession over it, the credential. */
async function receiveEntitlement(customer: string, signer: Signer): Promise<StoredCredential> {
  const { c_nonce: nonce } = await city.post<{ c_nonce: string }>('/credentials/nonce')
  const proof = await createCredentialProof({ signer, now: new Date(), audience: location.origin, nonce })
  const { credentials } = await city.post<{ credentials: { credential: string }[] }>('/credentials', {
    credential_configuration_id: entitlement,
    proofs: { jwt: [proof] },
  })
  const [issued] = credentials
  if (issued === undefined) throw new Error('The city issued no credential')
  const kept = { customer, type: entitlement, credential: issued.credential, received_at: new Date().toISOString() }
  await keepCredential(kept)
  return kept
}
