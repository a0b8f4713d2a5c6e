import type { TillitServer } from '@tillit/http'
import { Did } from '@tillit/schemas'
import { type Static, Type } from 'typebox'

const closed = { additionalProperties: false } as const

/** What clients need to know of a city before they trust it: compare it with what you were told elsewhere. */
const Authority = Type.Object(
  {
    did: Did,
    registrar: Did,
    environment: Type.String(),
    log: Type.Object(
      {
        origin: Type.String(),
        vkey: Type.String({ description: 'Verifier key of the log: the active one' }),
        vkeys: Type.Array(Type.String(), { description: 'All that sign the log now, the active one first' }),
        self_witnessed: Type.Boolean(),
      },
      closed,
    ),
  },
  closed,
)

export function authorityRoutes(authority: Static<typeof Authority>): (app: TillitServer) => Promise<void> {
  return async (app) => {
    app.get(
      '/authority',
      {
        schema: {
          operationId: 'read-authority',
          summary: 'The DIDs of the permission administrator and the trust registrar, and the key of the log',
          tags: ['city'],
          response: { 200: Authority },
        },
      },
      async () => authority,
    )
  }
}
