import { Problem } from '@tillit/problem'
import type { Sessions, SignedIn } from './sessions.ts'
import type { SignIn } from './sign-in.ts'

/** An access token is renewed this long before it expires. */
const renewBeforeSeconds = 20

export type CurrentSession = (secret: Uint8Array | null) => Promise<SignedIn | null>

/** Gives the session with an access token that is good for a while yet, or null when the person must sign in again. Throws Problem city-unavailable. */
export function createCurrentSession(sessions: Sessions, signIn: SignIn, now: () => Date): CurrentSession {
  // A page asks several things at once; one renewal serves them all.
  const renewals = new Map<string, Promise<SignedIn | null>>()

  const renew = async (secret: Uint8Array, session: SignedIn): Promise<SignedIn | null> => {
    const renewed = await signIn.renew(session).catch((cause) => {
      throw new Problem('city-unavailable', { detail: 'The sign-in could not be renewed; try again', cause })
    })
    if (renewed === null) await sessions.end(secret)
    else await sessions.replace(secret, renewed)
    return renewed
  }

  return async (secret) => {
    const session = secret === null ? null : await sessions.find(secret)
    if (secret === null || session === null) return null
    if (session.expiresAtSeconds > now().getTime() / 1000 + renewBeforeSeconds) return session
    const key = session.accessToken
    const running = renewals.get(key) ?? renew(secret, session).finally(() => renewals.delete(key))
    renewals.set(key, running)
    return running
  }
}
