import type { PrivateJwk } from '@tillit/keys'
import { newNonce, seal, secretBytes, sessionId, unseal } from './session-vault.ts'
import type { Store } from './store.ts'

/** A session ends when nothing is asked for this long, and in any case after a working day. */
const idleMinutes = 30
const absoluteHours = 8
/** Being used is written down at most this often. */
const touchSeconds = 60
/** A sign-in must be finished within this time. */
const signInMinutes = 10

/** What a session holds. `expiresAtSeconds` is that of the access token. */
export interface SignedIn {
  kind: 'signed-in'
  customer: string
  accessToken: string
  expiresAtSeconds: number
  refreshToken: string | null
  dpopKey: PrivateJwk
}

/** A sign-in under way: what the callback must match. */
export interface SigningIn {
  kind: 'signing-in'
  state: string
  nonce: string
  codeVerifier: string
  dpopKey: PrivateJwk
}

export type Sessions = ReturnType<typeof createSessions>

/** Sessions by the secret of their cookie, sealed under it. */
export function createSessions(
  store: Store,
  { now, randomBytes }: { now: () => Date; randomBytes: (length: number) => Uint8Array },
) {
  const sealed = (data: object, secret: Uint8Array) => Buffer.from(seal(data, secret, newNonce(randomBytes)))
  const open = async (data: SignedIn | SigningIn, lifetimeMinutes: number): Promise<Uint8Array> => {
    const secret = randomBytes(secretBytes)
    const at = now()
    await store.add({
      id: Buffer.from(sessionId(secret)),
      sealed: sealed(data, secret),
      created_at: at,
      used_at: at,
      expires_at: after(at, lifetimeMinutes),
    })
    return secret
  }

  return {
    begin: (data: SigningIn) => open(data, signInMinutes),
    start: (data: SignedIn) => open(data, idleMinutes),

    /** The sign-in that the secret began, once. */
    async finish(secret: Uint8Array): Promise<SigningIn | null> {
      const row = await store.take(sessionId(secret), now())
      const data = row === undefined ? null : (unseal(row.sealed, secret) as SignedIn | SigningIn)
      return data?.kind === 'signing-in' ? data : null
    },

    async find(secret: Uint8Array): Promise<SignedIn | null> {
      const at = now()
      const row = await store.find(sessionId(secret), at)
      if (row === undefined) return null
      const data = unseal(row.sealed, secret) as SignedIn | SigningIn
      if (data.kind !== 'signed-in') return null
      if (at.getTime() - row.used_at.getTime() > touchSeconds * 1000) {
        const end = after(row.created_at, absoluteHours * 60)
        const idle = after(at, idleMinutes)
        await store.update(row.id, { used_at: at, expires_at: idle < end ? idle : end })
      }
      return data
    },

    async replace(secret: Uint8Array, data: SignedIn): Promise<void> {
      await store.update(sessionId(secret), { sealed: sealed(data, secret) })
    },

    end: (secret: Uint8Array) => store.remove(sessionId(secret)),
    removeExpired: () => store.removeExpired(now()),
  }
}

function after(time: Date, minutes: number): Date {
  return new Date(time.getTime() + minutes * 60_000)
}
