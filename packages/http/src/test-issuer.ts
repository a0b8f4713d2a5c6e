import { sha256, toBase64url, utf8 } from '@tillit/codec'
import { generatePrivateJwk, type Signer, signerFromJwk, signJws, thumbprint, toPublicJwk } from '@tillit/keys'
import type { Jwks } from './access-token.ts'
import type { Caller } from './caller.ts'

export type TestCaller = Pick<Caller, 'kind' | 'id' | 'authorizationDetails' | 'offer'>

export interface TestIssuer {
  issuer: string
  jwks(): Jwks
  /** Headers for one request: a real access token and a fresh real proof. */
  headers(caller: TestCaller, method: string, path: string): Promise<{ authorization: string; dpop: string }>
}

/** For tests: issues real tokens, signed by a key of its own, so that services are tested behind the real authentication. */
export async function createTestIssuer(publicUrl: string, now: () => Date): Promise<TestIssuer> {
  const issuer = `${publicUrl}/oauth`
  const signer = await signerFromJwk(await generatePrivateJwk())
  const clientKey = await signerFromJwk(await generatePrivateJwk())
  const seconds = () => Math.floor(now().getTime() / 1000)
  let proofs = 0
  return {
    issuer,
    jwks: () => ({ keys: [{ ...toPublicJwk(signer.publicKey), kid: 'test' }] }),
    async headers(caller, method, path) {
      const claims = {
        iss: issuer,
        aud: publicUrl,
        sub: caller.id,
        client_id: caller.kind === 'customer' ? 'portal' : caller.id,
        kind: caller.kind,
        iat: seconds(),
        exp: seconds() + 300,
        cnf: { jkt: thumbprint(clientKey.publicKey) },
        authorization_details: caller.authorizationDetails,
        offer: caller.offer,
      }
      const token = await signJws({ typ: 'at+jwt', kid: 'test' }, claims, signer)
      return {
        authorization: `DPoP ${token}`,
        dpop: await proofFor(token, {
          method,
          url: publicUrl + path,
          iat: seconds(),
          jti: `proof-${++proofs}`,
          key: clientKey,
        }),
      }
    },
  }
}

async function proofFor(
  token: string,
  { method, url, iat, jti, key }: { method: string; url: string; iat: number; jti: string; key: Signer },
): Promise<string> {
  const [htu = url] = url.split('?')
  const claims = { htm: method, htu, iat, jti, ath: toBase64url(sha256(utf8(token))) }
  return signJws({ typ: 'dpop+jwt', jwk: toPublicJwk(key.publicKey) }, claims, key)
}
