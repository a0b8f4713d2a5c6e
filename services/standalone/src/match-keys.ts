import { randomBytes } from 'node:crypto'
import { connect } from '@tillit/database'
import type { KeyStore } from '@tillit/key-store'
import { Problem } from '@tillit/problem'
import type { CityDatabase } from './start-database.ts'

interface CityTable {
  'registry.city': { only_one?: boolean; id: string }
}

/**
 * Refuses to go on when the keys are not those with which the database was made: a city that lost its keys would sign its log
 * with new ones and call itself by new DIDs. Throws Problem invalid-configuration before any key is made.
 */
export async function matchKeys({ urlOf }: CityDatabase, keys: KeyStore): Promise<void> {
  // An error on the idle connection comes back from the query that needs it.
  const db = connect<CityTable>({
    url: urlOf('registry'),
    schema: 'registry',
    maxConnections: 1,
    onError: () => undefined,
  })
  try {
    const known = await db.selectFrom('registry.city').select('id').executeTakeFirst()
    if (known === undefined) {
      // A crash between the two leaves an id that the next start puts into the database.
      const id = await keys.secret('city-id', () => randomBytes(16).toString('base64url'))
      await db.insertInto('registry.city').values({ id }).execute()
    } else if ((await keys.find('city-id')) !== known.id) {
      throw new Problem('invalid-configuration', {
        detail:
          'The keys in DATA_DIR are not those of this database. Put back the keys it was made with, or start with an empty DATA_DIR and an empty database.',
      })
    }
  } finally {
    await db.destroy()
  }
}
