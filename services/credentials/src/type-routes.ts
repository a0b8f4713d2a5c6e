import { sha256, toBase64url, utf8 } from '@tillit/codec'
import { credentialSchemaText, typeMetadataIntegrity, typeMetadataText } from '@tillit/credential'
import type { TillitServer } from '@tillit/http'
import { CredentialType } from '@tillit/schemas'
import { Type } from 'typebox'

/** They change with a release, and wallets need not see that at once. */
const cacheControl = 'public, max-age=3600'

const byType = Type.Object({ type: CredentialType }, { additionalProperties: false })
const schemaType = 'application/schema+json'

/**
 * What each credential type is: SD-JWT VC Type Metadata, and the JSON Schema of its W3C form. The `vct` of a type is a name on
 * tillit.example, the same in all cities; each city has its metadata, also where drafts of SD-JWT VC up to 08 look for it.
 */
export function typeRoutes(app: TillitServer): void {
  const tags = ['credentials']
  for (const [url, operationId] of [
    ['/credentials/types/:type', 'read-type-metadata'],
    ['/.well-known/vct/credentials/:type', 'read-vct'],
  ] as const) {
    app.get(
      url,
      {
        schema: {
          operationId,
          summary: 'SD-JWT VC Type Metadata: names, labels, and what may be left out',
          tags,
          params: byType,
          response: { 200: Type.Unknown(), 304: Type.Null() },
        },
        config: { anyOrigin: true },
      },
      async ({ params: { type }, headers }, reply) => {
        const etag = `"${typeMetadataIntegrity(type)}"`
        reply.header('etag', etag).header('cache-control', cacheControl)
        if (headers['if-none-match'] === etag) return reply.code(304).send(null)
        return reply.type('application/json').serializer(asText).send(typeMetadataText(type))
      },
    )
  }
  app.get(
    '/credentials/schemas/:type',
    {
      schema: {
        operationId: 'read-credential-schema',
        summary: 'JSON Schema of a credential of the W3C’s data model: its credentialSchema',
        tags,
        params: byType,
        response: {
          200: { description: 'JSON Schema', content: { [schemaType]: { schema: Type.Unknown() } } },
          304: Type.Null(),
        },
      },
    },
    async ({ params: { type }, headers }, reply) => {
      const text = credentialSchemaText(type)
      const etag = `"${toBase64url(sha256(utf8(text)))}"`
      reply.header('etag', etag).header('cache-control', cacheControl)
      if (headers['if-none-match'] === etag) return reply.code(304).send(null)
      return reply.type(schemaType).serializer(asText).send(text)
    },
  )
}

/** The very bytes that a digest is about. */
function asText(payload: unknown): string {
  return String(payload)
}
