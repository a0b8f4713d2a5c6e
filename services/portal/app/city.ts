import { CityError, connectCity } from '@tillit/client'

export interface Session {
  signed_in: boolean
  customer: string | null
}

/** What the city says of itself: whom statements are addressed to, and which log key to trust. */
export interface Authority {
  did: string
  environment: string
  log: { origin: string; vkey: string }
}

const signInPath = '/portal/sign-in'
/** Being sent to sign in twice within this time would be a loop. */
const patienceMilliseconds = 60_000
const lastTryKey = 'tillit-signed-in-again'

/** The city, asked through the portal's backend, which holds the tokens. */
export const city = connectCity({ url: `${location.origin}/portal/api`, fetch: askThroughPortal })

export async function readSession(): Promise<Session> {
  return (await readOwn('/portal/session')) as Session
}

export async function readAuthority(): Promise<Authority> {
  return (await readOwn('/authority')) as Authority
}

/** The newest checkpoint of the city's log, as a signed note. */
export async function readCheckpoint(): Promise<string> {
  const reply = await fetch('/log/checkpoint')
  if (!reply.ok) throw await errorOf(reply)
  return reply.text()
}

/** Signs out here, and gives where the sign-in at the eID is ended, or null. */
export async function signOut(): Promise<string | null> {
  const reply = await fetch('/portal/sign-out', { method: 'POST', headers: { 'x-tillit-portal': '1' } })
  if (!reply.ok) throw await errorOf(reply)
  return ((await reply.json()) as { end_session_url: string | null }).end_session_url
}

export function goToSignIn(): void {
  location.assign(signInPath)
}

/** Reads a public route of the city, without the session. */
export async function readOwn(path: string): Promise<unknown> {
  const reply = await fetch(path, { headers: { accept: 'application/json' } })
  if (!reply.ok) throw await errorOf(reply)
  return reply.json()
}

async function askThroughPortal(input: string | URL | Request, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers)
  headers.set('x-tillit-portal', '1')
  const reply = await fetch(input, { ...init, headers })
  if (reply.status === 401 && (await errorOf(reply.clone())).code === 'not-signed-in') return signInAgain(reply)
  return reply
}

/** Usually silent, because the eID still knows the person: the page just loads again. */
function signInAgain(reply: Response): Promise<Response> | Response {
  const lastTry = Number(sessionStorage.getItem(lastTryKey) ?? 0)
  if (Date.now() - lastTry < patienceMilliseconds) return reply
  sessionStorage.setItem(lastTryKey, String(Date.now()))
  goToSignIn()
  return new Promise(() => undefined)
}

async function errorOf(reply: Response): Promise<CityError> {
  return new CityError(reply.status, await reply.json().catch(() => ({ detail: 'The city cannot be reached' })))
}
