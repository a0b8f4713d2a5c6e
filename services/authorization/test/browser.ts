/** A browser as far as OAuth needs one: a cookie jar by path, redirects followed by hand, no scripts. */
export class Browser {
  readonly #cookies = new Map<string, { value: string; path: string }>()

  async open(url: string | URL, init: RequestInit = {}): Promise<Response> {
    const { pathname } = new URL(url)
    const cookie = [...this.#cookies]
      .filter(([, { path }]) => pathname === path || pathname.startsWith(path.endsWith('/') ? path : `${path}/`))
      .map(([key, { value }]) => `${key.slice(key.indexOf(' ') + 1)}=${value}`)
      .join('; ')
    const headers = { accept: 'text/html', ...(cookie === '' ? {} : { cookie }), ...init.headers }
    const response = await fetch(url, { ...init, headers, redirect: 'manual' })
    for (const line of response.headers.getSetCookie()) this.#keep(line)
    return response
  }

  /** Follows redirects until a page, or until an address that starts with `until`, which is given and not opened. */
  async follow(url: string | URL, until: string, init: RequestInit = {}): Promise<{ url: URL; response: Response }> {
    let response = await this.open(url, init)
    let at = new URL(url)
    for (let hops = 0; hops < 10; hops++) {
      const location = response.headers.get('location')
      if (!location) return { url: at, response }
      at = new URL(location, at)
      if (at.href.startsWith(until)) return { url: at, response }
      response = await this.open(at)
    }
    throw new Error('too many redirects')
  }

  /** What the cookies hold, without their signatures. */
  cookieValues(): string[] {
    return [...this.#cookies].filter(([key]) => !key.endsWith('.sig')).map(([, { value }]) => value)
  }

  #keep(line: string): void {
    const [pair = '', ...attributes] = line.split(/;\s*/)
    const name = pair.slice(0, pair.indexOf('='))
    const attribute = (wanted: string) =>
      attributes.find((one) => one.toLowerCase().startsWith(`${wanted}=`))?.slice(wanted.length + 1)
    const path = attribute('path') ?? '/'
    const expires = attribute('expires')
    const key = `${path} ${name}`
    if (expires && Date.parse(expires) <= Date.now()) this.#cookies.delete(key)
    else this.#cookies.set(key, { value: pair.slice(name.length + 1), path })
  }
}

export function form(fields: Record<string, string>): RequestInit {
  return {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams(fields),
  }
}
