import { type City, connectCity } from '@tillit/client'

/** A browser's memory of cookies, as far as one host needs it: by name and path. */
class CookieJar {
  readonly #cookies = new Map<string, { value: string; path: string }>()

  take(reply: Response): void {
    for (const line of reply.headers.getSetCookie()) {
      const [pair = '', ...attributes] = line.split('; ')
      const name = pair.slice(0, pair.indexOf('='))
      const path = attributes.find((attribute) => /^path=/i.test(attribute))?.slice(5) ?? '/'
      const expired = attributes.some(
        (attribute) => /^expires=Thu, 01 Jan 1970/i.test(attribute) || /^max-age=0$/i.test(attribute),
      )
      if (expired) this.#cookies.delete(`${name} ${path}`)
      else this.#cookies.set(`${name} ${path}`, { value: pair.slice(pair.indexOf('=') + 1), path })
    }
  }

  header(url: URL): string {
    return [...this.#cookies]
      .filter(([, { path }]) => url.pathname.startsWith(path))
      .map(([key, { value }]) => `${key.split(' ')[0]}=${value}`)
      .join('; ')
  }
}

/** Signs a persona in to the portal as a browser does, and gives the portal's way to the city in that person's name. */
export async function signIn(cityUrl: string, persona: string): Promise<{ city: City; customer: string }> {
  const jar = new CookieJar()
  const visit = async (url: URL, init: RequestInit = {}): Promise<{ url: URL; reply: Response }> => {
    const reply = await fetch(url, {
      ...init,
      redirect: 'manual',
      headers: { ...init.headers, cookie: jar.header(url) },
    })
    jar.take(reply)
    const location = reply.headers.get('location')
    if (location === null) return { url, reply }
    await reply.arrayBuffer()
    return visit(new URL(location, url))
  }
  const form = await visit(new URL('/portal/sign-in', cityUrl))
  const page = await form.reply.text()
  if (!page.includes('development eID')) throw new Error(`the sign-in page was expected at ${form.url.pathname}`)
  const done = await visit(form.url, {
    method: 'POST',
    body: new URLSearchParams({ persona }),
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  })
  await done.reply.arrayBuffer()
  const portalFetch: typeof fetch = async (input, init = {}) => {
    const url = new URL(String(input instanceof Request ? input.url : input))
    const headers = {
      ...(init.headers as Record<string, string>),
      'x-tillit-portal': '1',
      origin: cityUrl,
      cookie: jar.header(url),
    }
    return fetch(url, { ...init, headers })
  }
  const session = (await (await portalFetch(`${cityUrl}/portal/session`)).json()) as { customer: string | null }
  if (session.customer === null) throw new Error('the sign-in did not succeed')
  return { city: connectCity({ url: `${cityUrl}/portal/api`, fetch: portalFetch }), customer: session.customer }
}
