import { type Inflate, type ReadStatus, statusReader } from '@tillit/credential'
import type { City } from '../city.ts'
import { fetchStatusList, resolveThrough } from '../verify-credential.ts'

/**
 * Reads statuses in the lists of one city, under the key of the authority that the city names. For holders, who want to know
 * how their credentials stand; who relies on a credential names the authority (verifyCredential).
 */
export function statusFromCity(city: City, { inflate, now }: { inflate: Inflate; now: () => Date }): ReadStatus {
  return async (uri, idx) => {
    const { did } = await city.get<{ did: string }>('/authority')
    const read = statusReader({
      issuerDids: [did],
      resolveDid: (signer, options) => resolveThrough(city, signer, options),
      inflate,
      now,
      fetchToken: (list) => fetchStatusList(city, list, 'application/statuslist+jwt'),
    })
    return read(uri, idx)
  }
}
