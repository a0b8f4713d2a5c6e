import { CityError, connectCity, registerDid } from '@tillit/client'
import type { Identity } from './identities.ts'

/** Hands the registry what it does not have of the DID, so this needs no memory of its own. */
export async function registerIdentity(
  url: string,
  { genesis, updates }: Pick<Identity, 'genesis' | 'updates'>,
  { listed }: { listed: boolean },
): Promise<void> {
  await registerDid(connectCity({ url }), [genesis, ...updates], { listed })
}

/** The updates of an identity that may not have been registered; to register it is for whoever runs it. */
export async function updateIfRegistered(
  url: string,
  { did, updates }: Pick<Identity, 'did' | 'updates'>,
): Promise<void> {
  const city = connectCity({ url })
  try {
    // The registry accepts an entry that it has again and again.
    for (const entry of updates) await city.post(`/dids/${encodeURIComponent(did)}/entries`, entry)
  } catch (error) {
    if (!(error instanceof CityError && error.code === 'did-not-found')) throw error
  }
}
