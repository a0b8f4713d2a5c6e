import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import { fromUtf8, parseJson } from '@tillit/codec'
import { Problem } from '@tillit/problem'
import fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  LogController,
  type RawReplyDefaultExpression,
  type RawRequestDefaultExpression,
  type RawServerDefault,
} from 'fastify'
import { answerPreflights, letAnyOriginRead } from './any-origin.ts'
import { type AuthenticationOptions, createAuthenticator } from './authenticate.ts'
import { documentApi } from './document-api.ts'
import { replyProblem, toProblem } from './problem-reply.ts'
import { validatorCompiler } from './validators.ts'

/** Largest body of a route that does not set its own limit, in bytes. */
export const bodyLimitBytes = 1024 * 1024
/** DIDs of unlisted subjects are long path parameters. */
const maxParamLength = 2048
/** A request must have arrived whole within this time, in milliseconds. */
const requestTimeoutMilliseconds = 30_000
const keepAliveTimeoutMilliseconds = 72_000
const requestIdPattern = /^[A-Za-z0-9._:-]{1,128}$/

export type TillitServer = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>

export interface ReadinessCheck {
  name: string
  /** Throws, or gives words about what is wrong; null when ready. */
  check: () => Promise<string | null>
  /** What is wrong is told, and requests are served all the same. */
  advisory?: boolean
}

/** While the server stops. */
const idleCheckMilliseconds = 50

export interface ServerOptions {
  logger: FastifyBaseLogger
  /** Where clients reach this server; metadata and proofs are checked against it, never against the Host header. */
  publicUrl: string
  authentication: AuthenticationOptions
  /** Makes errors of the adapters (database out of reach, disk full) problems; null for unknown ones. */
  problemOf: (error: unknown) => Problem | null
  readiness: ReadinessCheck[]
  newRequestId: () => string
}

/**
 * A Fastify server with everything that each service needs: exact validation, RFC 9457 problems, DPoP authentication by
 * `config.callers`, OpenAPI 3.1 at /openapi.json, a page to read it at /docs, /health/live and /health/ready.
 */
export async function createServer(options: ServerOptions): Promise<TillitServer> {
  const app = fastify({
    loggerInstance: options.logger,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: bodyLimitBytes,
    requestTimeout: requestTimeoutMilliseconds,
    keepAliveTimeout: keepAliveTimeoutMilliseconds,
    routerOptions: { maxParamLength },
    trustProxy: false,
    genReqId: (request) => acceptRequestId(request.headers['x-request-id']) ?? options.newRequestId(),
    schemaErrorFormatter: ([error]) => (error instanceof Error ? error : new Problem('invalid-request')),
  }).withTypeProvider<TypeBoxTypeProvider>() as unknown as TillitServer

  app.setValidatorCompiler(validatorCompiler)
  app.removeContentTypeParser(['application/json', 'text/plain'])
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, async (_request: unknown, body: Buffer) =>
    parseJson(fromUtf8(body)),
  )
  app.setErrorHandler((error, request, reply) => replyProblem(toProblem(error, options.problemOf), request, reply))
  app.setNotFoundHandler((request, reply) =>
    replyProblem(new Problem('not-found', { detail: 'No route has this path and method' }), request, reply),
  )

  const authenticate = createAuthenticator(options.authentication)
  app.decorateRequest('caller', null)
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id)
    reply.header('x-content-type-options', 'nosniff')
    const { callers, credentialTokens = false, anyOrigin = false } = request.routeOptions.config
    if (anyOrigin) letAnyOriginRead(reply)
    if (callers === undefined) return
    reply.header('cache-control', 'no-store')
    const caller = authenticate(request)
    if (!callers.includes(caller.kind))
      throw new Problem('role-required', { detail: `This is for: ${callers.join(', ')}` })
    if (caller.authorizationDetails !== undefined && !credentialTokens)
      throw new Problem('role-required', { detail: 'This token is for receiving credentials only' })
    request.caller = caller
  })
  app.addHook('onResponse', async (request, reply) => {
    // The route's pattern, never its URL: a URL holds identifiers.
    const route = request.routeOptions.url ?? 'none'
    request.log.info(
      { method: request.method, route, status: reply.statusCode, milliseconds: Math.round(reply.elapsedTime) },
      'answered',
    )
  })
  letConnectionsGo(app)
  answerPreflights(app)
  await documentApi(app, options.publicUrl)
  addHealth(app, options.readiness)
  return app
}

/**
 * Stopping waits for answers under way and for nothing else: Node closes the connections that are idle at the beginning, and
 * one that becomes idle afterwards would be kept for as long as it may be kept alive.
 */
function letConnectionsGo(app: TillitServer): void {
  app.addHook('preClose', (done) => {
    const closing = setInterval(() => app.server.closeIdleConnections(), idleCheckMilliseconds)
    app.server.once('close', () => clearInterval(closing))
    done()
  })
}

function acceptRequestId(header: string | string[] | undefined): string | null {
  return typeof header === 'string' && requestIdPattern.test(header) ? header : null
}

function addHealth(app: TillitServer, readiness: ReadinessCheck[]): void {
  app.get('/health/live', { schema: { hide: true } }, async () => ({ status: 'live' }))
  app.get('/health/ready', { schema: { hide: true } }, async (_request, reply) => {
    const checks = await Promise.all(
      readiness.map(async ({ name, check, advisory = false }) => ({
        name,
        fault: await check().catch((error) => String(error instanceof Error ? error.message : error)),
        advisory,
      })),
    )
    const ready = checks.every(({ fault, advisory }) => fault === null || advisory)
    return reply.code(ready ? 200 : 503).send({ status: ready ? 'ready' : 'not ready', checks })
  })
}
