import { signJws } from '@tillit/keys'
import { Problem } from '@tillit/problem'
import type { ClientIdentity } from '../city.ts'
import { ask, jsonOf } from './ask.ts'
import type { AuthorizationServer } from './authorization-server.ts'
import { randomText } from './random-text.ts'
import { readMembers } from './read-members.ts'
import type { WalletAttestation, WalletContext } from './wallet-context.ts'

const assertionLifetimeSeconds = 60

/** What a request to the authorization server says of its sender. */
export interface ClientAuthentication {
  readonly form: Record<string, string>
  readonly headers: Record<string, string>
}

/** How the wallet says who it is: a DID by an assertion, a known wallet by its id and attestation, any other not at all. */
export async function clientAuthentication(
  context: WalletContext,
  server: AuthorizationServer,
): Promise<ClientAuthentication> {
  const { identity, client, now } = context
  if (identity !== null) return { form: await clientAssertion(identity, server, now()), headers: {} }
  if (client === null) return { form: {}, headers: {} }
  const headers = client.attestation === undefined ? {} : await attestationHeaders(context, client.attestation, server)
  return { form: { client_id: client.clientId }, headers }
}

/** RFC 7523 section 2.2, addressed to the server's issuer identifier as FAPI 2.0 asks. */
async function clientAssertion(
  { did, keyId, signer }: ClientIdentity,
  server: AuthorizationServer,
  now: Date,
): Promise<Record<string, string>> {
  const iat = Math.floor(now.getTime() / 1000)
  const claims = { iss: did, sub: did, aud: server.issuer, jti: randomText(), iat, exp: iat + assertionLifetimeSeconds }
  return {
    client_id: did,
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: await signJws({ typ: 'JWT', kid: keyId }, claims, signer),
  }
}

/** draft-ietf-oauth-attestation-based-client-auth: the attestation, and proof of the key in it over a fresh challenge. */
async function attestationHeaders(
  { fetch, now }: WalletContext,
  { jwt, instanceKey }: WalletAttestation,
  { issuer, challengeEndpoint }: AuthorizationServer,
): Promise<Record<string, string>> {
  const claims = {
    aud: issuer,
    jti: randomText(),
    iat: Math.floor(now().getTime() / 1000),
    ...(challengeEndpoint === null ? {} : { challenge: await requestChallenge(fetch, challengeEndpoint) }),
  }
  return {
    'oauth-client-attestation': await jwt(),
    'oauth-client-attestation-pop': await signJws({ typ: 'oauth-client-attestation-pop+jwt' }, claims, instanceKey),
  }
}

async function requestChallenge(send: WalletContext['fetch'], endpoint: string): Promise<string> {
  const answer = await ask(send, endpoint, { method: 'POST', headers: { accept: 'application/json' } })
  return readMembers(jsonOf(answer), malformed).text('attestation_challenge')
}

function malformed(detail: string): Problem {
  return new Problem('invalid-issuer-metadata', { detail })
}
