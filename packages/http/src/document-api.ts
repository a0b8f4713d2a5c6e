import fastifySwagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import { ProblemDocument } from '@tillit/schemas'
import type { TillitServer } from './create-server.ts'

/** OpenAPI 3.1 at /openapi.json, made from the very schemas that validate; readable at /docs. */
export async function documentApi(app: TillitServer, publicUrl: string): Promise<void> {
  await app.register(fastifySwagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Tillit',
        version: '0.1.0',
        description:
          'The digital-trust layer of a smart city: identities, credentials, permissions, and proof of every read.',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      servers: [{ url: publicUrl }],
      components: {
        securitySchemes: {
          dpop: {
            type: 'http',
            scheme: 'DPoP',
            description: 'DPoP-bound access token (RFC 9449) from /oauth/token, with its proof in the DPoP header',
          },
        },
      },
    },
  })
  app.addHook('onRoute', (route) => {
    const schema = route.schema
    if (schema === undefined || schema.hide === true) return
    // Every route answers faults the same way, and the schema is what may leave.
    const responses = withoutIds(schema.response ?? {}) as Record<string, unknown>
    schema.response = { ...responses, '4xx': problemResponse, '5xx': problemResponse }
    if (route.config?.callers !== undefined) schema.security = [{ dpop: [] }]
  })
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    uiConfig: { docExpansion: 'list', deepLinking: true },
    staticCSP: true,
    theme: { title: 'Tillit API', css: [{ filename: 'theme.css', content: '.swagger-ui .topbar { display: none }' }] },
  })
  app.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger())
}

const problemResponse = {
  description: 'A problem (RFC 9457)',
  content: { 'application/problem+json': { schema: withoutIds(ProblemDocument) } },
}

/**
 * The schema without the `$id` of what it is made of: Fastify's serializer refuses a response in which the same `$id` stands
 * twice, as the scope does in a permission.
 */
function withoutIds(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutIds)
  if (value === null || typeof value !== 'object') return value
  const members = Object.entries(value).filter(([name, member]) => name !== '$id' || typeof member !== 'string')
  return Object.fromEntries(members.map(([name, member]) => [name, withoutIds(member)]))
}
