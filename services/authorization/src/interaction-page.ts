import type { TillitServer } from '@tillit/http'
import { isProblem, Problem } from '@tillit/problem'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { errors, type InteractionResults, type Provider } from 'oidc-provider'
import { escapeHtml, pageHeaders, renderPage } from './page.ts'
import { formTargetOf } from './wallets.ts'

const formType = 'application/x-www-form-urlencoded'
const formLimitBytes = 4096

/** What the provider waits for: a person who has to do something before their request goes on. */
export type Interaction = Awaited<ReturnType<Provider['interactionDetails']>>

type PageRequest = FastifyRequest<{ Params: { uid: string } }>

/** One page on which a person answers the provider. */
export interface InteractionPage {
  /** Where the provider sends the browser; the interaction's uid follows. The cookie set with it lives under that path only. */
  path: string
  /** The provider's name for what it asks. */
  prompt: string
  /** Throws a Problem when the page serves nobody. */
  requireOpen?(): void
  show(interaction: Interaction, action: string, request: PageRequest): Promise<string>
  answer(interaction: Interaction, form: URLSearchParams): Promise<InteractionResults>
  /** What the person answered on an earlier page of the same request stays true. */
  keepEarlierAnswers: boolean
}

export interface InteractionPorts {
  provider: Provider
  /** Origins that a form may lead on to from every page: those of the portal. */
  formTargets: readonly string[]
}

/**
 * The pages of the authorization server. A forged post fails for want of the interaction cookie: it is signed, SameSite=Lax
 * and sent to this one path only.
 */
export function interactionRoutes(
  { provider, formTargets }: InteractionPorts,
  pages: readonly InteractionPage[],
): (app: TillitServer) => Promise<void> {
  const sendPage = (reply: FastifyReply, html: string, target: readonly string[] = []) =>
    reply
      .headers(pageHeaders([...formTargets, ...target]))
      .type('text/html; charset=utf-8')
      .send(html)

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
    for (const page of pages) {
      const url = `${page.path}/:uid`
      app.get<{ Params: { uid: string } }>(url, { schema: { hide: true } }, async (request, reply) => {
        const interaction = await currentInteraction(provider, page, { request, reply })
        const html = await page.show(interaction, `${page.path}/${interaction.uid}`, request)
        // Browsers hold redirects after a form against the policy of its page; the provider has checked this address.
        const { redirect_uri: redirectUri } = interaction.params
        return sendPage(reply, html, typeof redirectUri === 'string' ? [formTargetOf(redirectUri)] : [])
      })
      app.post<{ Params: { uid: string } }>(url, { schema: { hide: true } }, async (request, reply) => {
        const interaction = await currentInteraction(provider, page, { request, reply })
        const form = request.body instanceof URLSearchParams ? request.body : new URLSearchParams()
        const result = await page.answer(interaction, form)
        const returnTo = await provider.interactionResult(request.raw, reply.raw, result, {
          mergeWithLastSubmission: page.keepEarlierAnswers,
        })
        return reply.header('cache-control', 'no-store').redirect(returnTo, 303)
      })
    }
  }
}

/** Throws Problem sign-in-expired when no such interaction is under way in this browser, and what `requireOpen` throws. */
async function currentInteraction(
  provider: Provider,
  { prompt, requireOpen }: InteractionPage,
  { request, reply }: { request: PageRequest; reply: FastifyReply },
): Promise<Interaction> {
  requireOpen?.()
  try {
    const interaction = await provider.interactionDetails(request.raw, reply.raw)
    if (interaction.uid === request.params.uid && interaction.prompt.name === prompt) return interaction
  } catch (cause) {
    if (!(cause instanceof errors.SessionNotFound)) throw cause
  }
  throw new Problem('sign-in-expired', { detail: 'This sign-in has ended or began in another browser. Start again.' })
}

function problemPage(problem: Problem): string {
  return renderPage(
    'Sign-in is not possible',
    `<p>${escapeHtml(problem.message)}</p><p><code>${problem.code}</code></p>`,
  )
}
