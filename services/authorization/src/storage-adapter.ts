import { sha256, toBase64url, utf8 } from '@tillit/codec'
import { problemOfDatabaseError } from '@tillit/database'
import { type Adapter, type AdapterPayload, errors } from 'oidc-provider'
import type { Store } from './store.ts'

/**
 * How long a person may take for the pages of one request. A pushed request that has expired can begin nothing any more, but it is
 * kept until whatever it began has ended, so that only one of these gives a code.
 */
export const interactionSeconds = 600

/**
 * Where oidc-provider keeps one kind of thing. What a caller presents (code, cookie, refresh token, request_uri) is a secret:
 * the row knows only its hash, and the secret is put back into what is found by presenting it.
 */
export function createStorageAdapter(model: string, store: Store): Adapter {
  const found = async (index: 'id' | 'uid' | 'user_code', value: string, id?: string) => {
    const state = await store.findState(model, index, value)
    if (!state) return undefined
    const consumed = state.consumedAt ? { consumed: Math.floor(state.consumedAt.getTime() / 1000) } : {}
    return { ...revealSecrets(state.payload, id), ...consumed } as AdapterPayload
  }
  return {
    find: (id) => found('id', hashId(id), id),
    findByUid: (uid) => found('uid', uid),
    findByUserCode: (userCode) => found('user_code', userCode),
    async upsert(id, payload, expiresIn) {
      if (expiresIn === undefined) throw new TypeError(`${model} has no lifetime`)
      const { grantId, userCode, uid } = payload
      await store
        .saveState(model, hashId(id), {
          payload: hideSecrets({ ...payload }, id),
          indexes: { grant_id: grantId ?? null, user_code: userCode ?? null, uid: uid ?? null },
          lifetimeSeconds: expiresIn + (model === 'PushedAuthorizationRequest' ? interactionSeconds : 0),
        })
        .catch(refuseUnstorable)
    },
    // RFC 6749 section 4.1.2: a code is used once. The provider looks before it consumes; only this statement decides a race.
    async consume(id) {
      if (await store.consumeState(model, hashId(id))) return
      if (model === 'PushedAuthorizationRequest') throw new errors.InvalidRequestUri('the request_uri was used before')
      throw new errors.InvalidGrant(`${model} was used before`)
    },
    destroy: (id) => store.deleteState(model, hashId(id)),
    revokeByGrantId: (grantId) => store.deleteStateOfGrant(model, grantId),
  }
}

/** Parameters of a request go with what is kept, and not every text of theirs can be. Throws InvalidRequest for such. */
function refuseUnstorable(cause: unknown): never {
  if (problemOfDatabaseError(cause)?.code !== 'invalid-request') throw cause
  throw new errors.InvalidRequest('a parameter holds the character U+0000', 400, { cause })
}

/** SHA-256, base64url: the ids are random and long, so no salt is needed. */
export function hashId(id: string): string {
  return toBase64url(sha256(utf8(id)))
}

const idPlace = '{id}'

function hideSecrets(payload: Record<string, unknown>, id: string): Record<string, unknown> {
  const { jti: _secret, ...rest } = payload
  // An interaction also holds its own id in the address it returns to, and the cookie of the session it began in.
  if (typeof rest.returnTo === 'string') rest.returnTo = rest.returnTo.replace(id, idPlace)
  if (isObject(rest.session)) {
    const { cookie: _cookie, ...session } = rest.session
    rest.session = session
  }
  return rest
}

function revealSecrets(payload: Record<string, unknown>, id: string | undefined): Record<string, unknown> {
  if (id === undefined) return payload
  const { returnTo } = payload
  return { ...payload, jti: id, ...(typeof returnTo === 'string' ? { returnTo: returnTo.replace(idPlace, id) } : {}) }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
