import { encodeId, idBytes } from '@tillit/codec'
import type { KeyStore } from '@tillit/key-store'
import type { Persona } from '@tillit/service-authorization'

const people = [
  { key: 'kari', name: 'Kari Nordmann', description: 'lives in Havnegata 1 and has a request waiting' },
  { key: 'ola', name: 'Ola Hansen', description: 'lives in Havnegata 3' },
]

/** The people of the demonstration; their opaque customer ids are made once. */
export function personas(keys: KeyStore, randomBytes: (length: number) => Uint8Array): Promise<Persona[]> {
  return Promise.all(
    people.map(async (person) => ({
      ...person,
      customerId: await keys.secret(`customer-${person.key}`, () => encodeId('cust', randomBytes(idBytes))),
    })),
  )
}
