import { type City, type ClientIdentity, connectCity } from '@tillit/client'
import { NoCity } from './no-city.ts'
import { UsageError } from './usage-error.ts'

/** A connection to a city that says in words when there is none. Throws UsageError for what is no URL. */
export function cityAt(url: string, identity?: ClientIdentity): City {
  return connectCity({ url: cityUrl(url), ...(identity === undefined ? {} : { identity }), fetch: askCity })
}

/** The URL of a city, without what does not belong to it. */
export function cityUrl(text: string): string {
  const { protocol = '', origin = '' } = URL.canParse(text) ? new URL(text) : {}
  if (protocol === 'https:' || protocol === 'http:') return origin
  throw new UsageError(`${text} is not the URL of a city: one such as https://city.example is expected.`)
}

async function askCity(...[input, init]: Parameters<typeof fetch>): Promise<Response> {
  const { origin } = new URL(input instanceof Request ? input.url : input)
  let reply: Response
  try {
    reply = await fetch(input, init)
  } catch (cause) {
    throw new NoCity(`There is no city at ${origin} (${reasonOf(cause)}). Does it run (npm start)?`, { cause })
  }
  // A page for people, where a city answers programs: the server of something else, or a proxy before the city.
  if (!reply.headers.get('content-type')?.startsWith('text/html')) return reply
  await reply.body?.cancel()
  throw new NoCity(`What answers at ${origin} is no city: it sends a web page (status ${reply.status}).`)
}

/** `fetch` hides what happened behind the same words for everything. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'no answer'
  if (error.name === 'TimeoutError') return 'no answer in time'
  const cause = error.cause instanceof Error ? error.cause : error
  return 'code' in cause && typeof cause.code === 'string' ? cause.code : cause.message
}
