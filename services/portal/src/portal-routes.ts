import fastifyCookie, { type CookieSerializeOptions } from '@fastify/cookie'
import type { TillitServer } from '@tillit/http'
import { Problem } from '@tillit/problem'
import type { FastifyBaseLogger, FastifyReply, FastifyRequest } from 'fastify'
import { AuthorizationResponseError } from 'openid-client'
import { type AskPorts, askCity } from './ask-city.ts'
import type { CurrentSession } from './current-session.ts'
import { requireOwnOrigin } from './own-origin.ts'
import { cookieOf, readSecret } from './session-vault.ts'
import type { Sessions } from './sessions.ts'
import type { SignIn } from './sign-in.ts'

/** Path /portal: the authorization server has cookies of its own under /oauth. */
const sessionCookie = 'tillit_session'
const signInCookie = 'tillit_portal_sign_in'
const apiPath = '/portal/api/'

export interface SessionRoutePorts extends AskPorts {
  sessions: Sessions
  signIn: SignIn
  currentSession: CurrentSession
  logger: Pick<FastifyBaseLogger, 'warn'>
}

/** Sign-in, session, and the way to the city's routes for who is signed in. */
export function sessionRoutes(ports: SessionRoutePorts): (app: TillitServer) => Promise<void> {
  const { publicUrl, sessions, signIn, currentSession } = ports
  // Lax, because the browser comes back from the authorization server by a top-level navigation.
  const cookie = { httpOnly: true, sameSite: 'lax', secure: publicUrl.startsWith('https:') } as const
  const sessionOptions: CookieSerializeOptions = { ...cookie, path: '/portal' }
  const signInOptions: CookieSerializeOptions = { ...cookie, path: '/portal/callback' }
  const hidden = { schema: { hide: true } } as const
  const secretOf = (request: FastifyRequest) => readSecret(request.cookies[sessionCookie])

  return async (app) => {
    await app.register(fastifyCookie)
    // What the page sends is passed on byte for byte; the city's routes validate it.
    app.removeContentTypeParser('application/json')
    app.addContentTypeParser('application/json', { parseAs: 'buffer' }, async (_: unknown, body: Buffer) => body)
    app.addHook('onSend', async (_request, reply) => {
      reply.header('cache-control', 'no-store')
    })

    app.get('/portal/sign-in', hidden, async (request, reply) => {
      // Cookies belong to a host name: a browser that came by another one is led to ours first, once.
      if (request.host !== new URL(publicUrl).host && !request.url.includes('?')) {
        return reply.redirect(`${publicUrl}/portal/sign-in?here`, 302)
      }
      try {
        const { location, signingIn } = await signIn.begin()
        const secret = await sessions.begin(signingIn)
        return reply.setCookie(signInCookie, cookieOf(secret), signInOptions).redirect(location, 303)
      } catch (err) {
        ports.logger.warn({ err }, 'a sign-in could not begin')
        return signInFailed(reply)
      }
    })

    app.get('/portal/callback', hidden, async (request, reply) => {
      reply.clearCookie(signInCookie, signInOptions)
      const begun = readSecret(request.cookies[signInCookie])
      const signingIn = begun === null ? null : await sessions.finish(begun)
      if (signingIn === null) return signInFailed(reply)
      try {
        const session = await signIn.finish(queryOf(request), signingIn)
        const former = secretOf(request)
        if (former !== null) await sessions.end(former)
        const secret = await sessions.start(session)
        return reply.setCookie(sessionCookie, cookieOf(secret), sessionOptions).redirect('/portal/', 303)
      } catch (err) {
        // Somebody who cancels is no fault.
        if (!(err instanceof AuthorizationResponseError && err.error === 'access_denied'))
          ports.logger.warn({ err }, 'a sign-in did not succeed')
        return signInFailed(reply)
      }
    })

    app.post('/portal/sign-out', hidden, async (request, reply) => {
      requireOwnOrigin(request, publicUrl)
      const secret = secretOf(request)
      const session = secret === null ? null : await sessions.find(secret)
      if (secret !== null) await sessions.end(secret)
      reply.clearCookie(sessionCookie, sessionOptions)
      return { end_session_url: session === null ? null : await endAtServer(session) }
    })

    app.get('/portal/session', hidden, async (request) => {
      const session = await currentSession(secretOf(request))
      return { signed_in: session !== null, customer: session?.customer ?? null }
    })

    app.route({
      method: ['GET', 'POST', 'DELETE'],
      url: `${apiPath}*`,
      ...hidden,
      handler: async (request, reply) => {
        requireOwnOrigin(request, publicUrl)
        const secret = secretOf(request)
        const session = await currentSession(secret)
        if (secret === null || session === null) throw new Problem('not-signed-in')
        const [path = ''] = request.url.slice(apiPath.length).split('?')
        const answer = await askCity(
          {
            ...{ method: request.method, path, query: queryOf(request) },
            ...{ headers: request.headers, body: request.body instanceof Buffer ? request.body : undefined },
          },
          session,
          ports,
        )
        if (isTokenRefusal(answer)) {
          await sessions.end(secret)
          throw new Problem('not-signed-in')
        }
        if (answer.contentType !== null) reply.header('content-type', answer.contentType)
        return reply.code(answer.status).send(Buffer.from(answer.body))
      },
    })
  }

  async function endAtServer(session: Parameters<SignIn['end']>[0]): Promise<string | null> {
    try {
      return await signIn.end(session)
    } catch (err) {
      // The session is gone here whatever the server says; its refresh token ends with the server's own session.
      ports.logger.warn({ err }, 'the authorization server did not take the sign-out')
      return null
    }
  }
}

/** The page says in words what to do; why it failed is in our log. */
function signInFailed(reply: FastifyReply): FastifyReply {
  return reply.redirect('/portal/?sign-in=failed', 303)
}

function queryOf(request: FastifyRequest): string {
  const start = request.url.indexOf('?')
  return start < 0 ? '' : request.url.slice(start)
}

/** The city no longer takes the token (signed out elsewhere, keys changed): the person signs in again. */
function isTokenRefusal({ status, body }: { status: number; body: Uint8Array }): boolean {
  return status === 401 && /"code":"(?:invalid-token|missing-token)"/.test(Buffer.from(body).toString('latin1'))
}
