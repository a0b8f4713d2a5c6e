import type { TillitServer } from '@tillit/http'
import { isProblem, Problem } from '@tillit/problem'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { errors, type Provider } from 'oidc-provider'
import { type Persona, personaPage } from './development-eid.ts'
import { escapeHtml, pageHeaders, renderPage } from './page.ts'
import { hashId } from './storage-adapter.ts'
import type { Store } from './store.ts'

const signInPath = '/oauth/sign-in'
const formType = 'application/x-www-form-urlencoded'
const formLimitBytes = 4096
const eid = 'development'

export interface SignInPorts {
  provider: Provider
  store: Store
  personas: readonly Persona[]
  /** Origins a form may lead on to after us: those of the portal. */
  formTargets: readonly string[]
}

/** Where oidc-provider sends a browser that must sign in. The cookie set with it lives under this path only. */
export function signInUrl(uid: string): string {
  return `${signInPath}/${uid}`
}

/**
 * The pages on which a person signs in. A forged post fails for want of the interaction cookie: it is signed, SameSite=Lax and
 * sent to this one path only.
 */
export function signInRoutes(ports: SignInPorts): (app: TillitServer) => Promise<void> {
  const sendPage = (reply: FastifyReply, html: string) =>
    reply.headers(pageHeaders(ports.formTargets)).type('text/html; charset=utf-8').send(html)

  return async (app) => {
    app.addContentTypeParser(
      formType,
      { parseAs: 'string', bodyLimit: formLimitBytes },
      async (_: unknown, body: string) => new URLSearchParams(body),
    )
    app.setErrorHandler((error, request, reply) => {
      const problem = isProblem(error) ? error : undefined
      // People read pages, programs read problems: those go on to the server's own handler.
      if (!problem || !request.headers.accept?.includes('text/html')) throw error
      return sendPage(reply.code(problem.status), problemPage(problem))
    })
    app.get<{ Params: { uid: string } }>(`${signInPath}/:uid`, { schema: { hide: true } }, async (request, reply) => {
      await currentInteraction(ports, request, reply)
      return sendPage(reply, personaPage(ports.personas, signInUrl(request.params.uid)))
    })
    app.post<{ Params: { uid: string } }>(`${signInPath}/:uid`, { schema: { hide: true } }, async (request, reply) => {
      await currentInteraction(ports, request, reply)
      const form = request.body instanceof URLSearchParams ? request.body : new URLSearchParams()
      const result = form.has('cancel')
        ? { error: 'access_denied', error_description: 'the sign-in was cancelled' }
        : { login: { accountId: await signIn(ports, form.get('persona')), amr: [eid], remember: false } }
      const returnTo = await ports.provider.interactionResult(request.raw, reply.raw, result, {
        mergeWithLastSubmission: false,
      })
      return reply.header('cache-control', 'no-store').redirect(returnTo, 303)
    })
  }
}

/** Throws Problem sign-in-unavailable when no eID is configured, sign-in-expired when no sign-in is under way here. */
async function currentInteraction(
  { provider, personas }: SignInPorts,
  request: FastifyRequest<{ Params: { uid: string } }>,
  reply: FastifyReply,
): Promise<void> {
  if (personas.length === 0) throw new Problem('sign-in-unavailable')
  try {
    const interaction = await provider.interactionDetails(request.raw, reply.raw)
    if (interaction.uid === request.params.uid && interaction.prompt.name === 'login') return
  } catch (cause) {
    if (!(cause instanceof errors.SessionNotFound)) throw cause
  }
  throw new Problem('sign-in-expired', { detail: 'This sign-in has ended or began in another browser. Start again.' })
}

/** Which customer that is; the subject kept is a hash, so the table holds no name. */
async function signIn({ store, personas }: SignInPorts, key: string | null): Promise<string> {
  const persona = personas.find((one) => one.key === key)
  if (!persona) throw new Problem('invalid-request', { detail: 'There is no such persona', pointer: 'persona' })
  return store.customerOf({ eid, subject: hashId(`${eid}:${persona.key}`), customer_id: persona.customerId })
}

function problemPage(problem: Problem): string {
  return renderPage(
    'Sign-in is not possible',
    `<p>${escapeHtml(problem.message)}</p><p><code>${problem.code}</code></p>`,
  )
}
