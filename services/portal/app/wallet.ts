import {
  CityError,
  type CredentialDescription,
  type Wallet as CredentialWallet,
  connectCity,
  createAcceptance,
  createIndexedDbStore,
  createKeyBinding,
  createStatement,
  openWallet as openCredentialWallet,
  resolveThrough,
} from '@tillit/client'
import { type Signer, signerFromCryptoKeyPair } from '@tillit/keys'
import type { Acknowledgement, NewOffer, Permission, Scope } from '@tillit/schemas'
import { type Authority, city } from './city.ts'
import { findKey, keepKey, markBound, type StoredKey } from './wallet-store.ts'

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
  receiveEntitlement(): Promise<void>
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
    receiveEntitlement: () => receiveEntitlement(customer),
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

/** The credentials that the customer holds in this browser. */
export function listCredentials(customer: string): Promise<readonly CredentialDescription[]> {
  return credentialWallet(customer).list()
}

/** The customer offers the entitlement to this browser (OpenID4VCI 1.0), which takes it in place of the one before. */
async function receiveEntitlement(customer: string): Promise<void> {
  const wallet = credentialWallet(customer)
  const former = await wallet.list()
  const { links } = await city.post<NewOffer>('/openid4vci/offers', {
    configuration_ids: [entitlement],
    // Offer and wallet are in one hand: no code needs to travel another way.
    tx_code: false,
  })
  await wallet.receive(await wallet.openOffer(links.openid_credential_offer))
  for (const { type, held } of former) if (type === entitlement) await wallet.forget(held.id)
}

/** Every customer has a wallet of their own here; it talks to the city itself, without the portal's session. */
function credentialWallet(customer: string): CredentialWallet {
  const openly = connectCity({ url: location.origin })
  return openCredentialWallet({
    store: createIndexedDbStore(indexedDB, `tillit-wallet-${customer}`),
    resolveDid: (did, options) => resolveThrough(openly, did, options),
  })
}
