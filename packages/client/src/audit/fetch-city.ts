/** Longest wait for one answer. */
const timeoutMilliseconds = 20_000

/** How often a path is asked for before it counts as unreachable, and the pauses between. */
const pausesMilliseconds = [200, 1000, 4000] as const

/** What the city answered. Statuses other than 200 are answers too. */
export interface CityAnswer {
  readonly status: number
  readonly body: Uint8Array
}

/**
 * Gets a path of the city, for example `/log/checkpoint`, and nothing from anywhere else. Throws when the city does not
 * answer after all tries, or answers more than `maxBytes`.
 */
export type FetchCity = (path: string, options: { readonly maxBytes: number }) => Promise<CityAnswer>

/**
 * Asks a city over HTTP with a time-out, a size limit and a few tries; for browsers as well. It follows no redirects. Once
 * the signal is aborted it ends at once, and throws the signal's reason.
 */
export function fetchFromCity(
  url: string,
  options: {
    readonly fetch?: typeof fetch
    readonly pausesMilliseconds?: readonly number[]
    readonly signal?: AbortSignal
  } = {},
): FetchCity {
  const base = url.replace(/\/$/, '')
  const ask = options.fetch ?? ((input, init) => fetch(input, init))
  const pauses = options.pausesMilliseconds ?? pausesMilliseconds
  const { signal } = options
  return async (path, { maxBytes }) => {
    for (let tried = 0; ; tried++) {
      const pause = pauses[tried]
      try {
        const answer = await askOnce(ask, base + path, { maxBytes, signal })
        if (pause === undefined || !mayPass(answer.status)) return answer
      } catch (error) {
        signal?.throwIfAborted()
        if (pause === undefined || error instanceof AnswerTooLong) throw error
      }
      await pauseFor(pause, signal)
      signal?.throwIfAborted()
    }
  }
}

/** The city answered more than anything of its kind is long. */
export class AnswerTooLong extends Error {}

async function askOnce(
  ask: typeof fetch,
  url: string,
  { maxBytes, signal }: { maxBytes: number; signal: AbortSignal | undefined },
): Promise<CityAnswer> {
  const timeout = AbortSignal.timeout(timeoutMilliseconds)
  const reply = await ask(url, {
    redirect: 'error',
    signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
  })
  return { status: reply.status, body: await readBounded(reply, maxBytes) }
}

/** Ends early when the signal is aborted. */
function pauseFor(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, milliseconds)
    function done(): void {
      clearTimeout(timer)
      signal?.removeEventListener('abort', done)
      resolve()
    }
    signal?.addEventListener('abort', done)
  })
}

async function readBounded(reply: Response, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let length = 0
  const reader = reply.body?.getReader()
  for (;;) {
    const chunk = await reader?.read()
    if (chunk === undefined || chunk.done) break
    length += chunk.value.length
    if (length > maxBytes) {
      await reader?.cancel()
      throw new AnswerTooLong(`the answer is longer than ${maxBytes} bytes`)
    }
    chunks.push(chunk.value)
  }
  const body = new Uint8Array(length)
  let at = 0
  for (const chunk of chunks) {
    body.set(chunk, at)
    at += chunk.length
  }
  return body
}

/** Too many requests, and faults that a restart or a proxy brings. */
function mayPass(status: number): boolean {
  return status === 429 || status >= 500
}
