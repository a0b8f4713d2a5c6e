import type { TillitServer } from '@tillit/http'
import { Type } from 'typebox'
import { createAnswerCache } from './answer-cache.ts'
import { forEveryone } from './for-everyone.ts'
import type { HostedDids } from './hosted-dids.ts'
import { type IdentifierRequest, identifierOfUrl, readOptions } from './identifier-of-url.ts'
import type { RegistryPorts } from './ports.ts'
import type { ResolveDid } from './resolve-did.ts'
import { type IdentifierAnswer, resolveIdentifier } from './resolve-identifier.ts'

const prefix = '/1.0/identifiers/'
/** Largest body of options, in bytes. */
const optionsLimitBytes = 4096

const Params = Type.Object({ '*': Type.String({ maxLength: 4096 }) })
/** Read from the URL itself, because what belongs to the DID URL and what is an option look alike; here for the documentation. */
const Query = Type.Object({
  versionId: Type.Optional(Type.String({ maxLength: 256 })),
  versionTime: Type.Optional(Type.String({ maxLength: 256 })),
  versionNumber: Type.Optional(Type.String({ maxLength: 256 })),
  noCache: Type.Optional(Type.String({ maxLength: 256 })),
  verificationRelationship: Type.Optional(Type.String({ maxLength: 256 })),
})

export interface IdentifierRouteParts {
  readonly hosted: HostedDids
  readonly resolve: ResolveDid
  readonly ports: Pick<RegistryPorts, 'now'>
  /** Calls back with each DID that was written to here. */
  readonly onWritten: (listener: (did: string) => void) => void
}

/** The HTTP(S) binding of W3C DID Resolution. */
export function identifierRoutes({ hosted, resolve, ports, onWritten }: IdentifierRouteParts) {
  const answers = createAnswerCache<IdentifierAnswer>(ports, ({ status }) => status === 200 || status === 410)
  onWritten(answers.forget)
  return async (app: TillitServer): Promise<void> => {
    app.addHook('onRequest', forEveryone)
    app.get(
      `${prefix}*`,
      {
        schema: {
          operationId: 'resolve-identifier',
          summary: 'Resolves a DID or dereferences a DID URL (W3C DID Resolution, HTTP binding)',
          tags: ['registry'],
          params: Params,
          querystring: Query,
        },
      },
      async (request, reply) => {
        const { accept } = request.headers
        const key = `${accept ?? ''}\n${request.url}`
        const answer = answers.find(key) ?? (await answerAnew(key, identifierOfUrl(request.url, prefix), accept))
        return send(answer, reply)
      },
    )
    app.post(
      `${prefix}*`,
      {
        bodyLimit: optionsLimitBytes,
        schema: {
          operationId: 'resolve-identifier-with-options',
          summary: 'Resolves a DID or dereferences a DID URL, with options in the body',
          tags: ['registry'],
          params: Params,
          body: Type.Record(Type.String({ maxLength: 64 }), Type.Unknown(), { maxProperties: 16 }),
        },
      },
      async (request, reply) => {
        const { identifier, options } = identifierOfUrl(request.url, prefix)
        const all = { ...options, ...readOptions(request.body) }
        return send(await resolveIdentifier({ identifier, options: all }, request.headers.accept, resolve), reply)
      },
    )
  }

  async function answerAnew(
    key: string,
    request: IdentifierRequest,
    accept: string | undefined,
  ): Promise<IdentifierAnswer> {
    const answer = () => resolveIdentifier(request, accept, resolve)
    const did = hosted.hostedIn(request.identifier)
    return did === null || request.options.noCache === true ? answer() : answers.make({ key, did }, answer)
  }
}

interface Reply {
  code(status: number): Reply
  header(name: string, value: string): Reply
  send(body: Buffer): unknown
}

function send({ status, contentType, body, location }: IdentifierAnswer, reply: Reply): unknown {
  reply.code(status).header('vary', 'accept').header('cache-control', 'no-cache')
  if (contentType !== null) reply.header('content-type', contentType)
  if (location !== null) reply.header('location', location)
  return reply.send(body)
}
