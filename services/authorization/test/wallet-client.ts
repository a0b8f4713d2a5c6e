import { createHash, randomUUID } from 'node:crypto'
import type { CredentialAuthorization } from '@tillit/http'
import { generatePrivateJwk, type Signer, signerFromJwk } from '@tillit/keys'
import { proofOf } from './did-client.ts'
import type { TestServer } from './start-server.ts'

export const preAuthorizedCodeGrant = 'urn:ietf:params:oauth:grant-type:pre-authorized_code'

export interface WalletAnswer {
  status: number
  headers: Headers
  body: {
    access_token?: string
    refresh_token?: string
    token_type?: string
    scope?: string
    authorization_details?: CredentialAuthorization[]
    request_uri?: string
    attestation_challenge?: string
    error?: string
    error_description?: string
  }
}

/** The key that a wallet proves possession of; not the one its credentials are bound to. */
export async function newProofKey(): Promise<Signer> {
  return signerFromJwk(await generatePrivateJwk('ES256'))
}

export interface Parts {
  /** Signs the DPoP proof; null: there is no proof. */
  key?: Signer | null
  proof?: Record<string, unknown>
  headers?: Record<string, string>
}

/** A form posted to an endpoint of the authorization server, with a DPoP proof for it. */
export async function post(
  server: Pick<TestServer, 'issuer'>,
  endpoint: string,
  fields: Record<string, string>,
  { key = null, proof = {}, headers = {} }: Parts = {},
): Promise<WalletAnswer> {
  const url = `${server.issuer}/${endpoint}`
  const dpop = key === null ? {} : { dpop: await proofOf(key, url, proof) }
  const response = await fetch(url, {
    method: 'POST',
    headers: { accept: 'application/json', ...dpop, ...headers },
    body: new URLSearchParams(fields),
  })
  const body = await response.text()
  return { status: response.status, headers: response.headers, body: body === '' ? {} : JSON.parse(body) }
}

export function credentialDetails(...configurationIds: string[]): string {
  return JSON.stringify(configurationIds.map((id) => ({ type: 'openid_credential', credential_configuration_id: id })))
}

/** What a token for these credentials says. */
export function detailsFor(...configurationIds: string[]): CredentialAuthorization[] {
  return configurationIds.map((id) => ({
    type: 'openid_credential',
    credential_configuration_id: id,
    credential_identifiers: [id],
  }))
}

/** What a route that serves wallets, and then one that does not, says to the token. */
export async function useToken(server: Pick<TestServer, 'publicUrl'>, token: string, key: Signer) {
  const call = async (method: string, path: string) => {
    const ath = createHash('sha256').update(token).digest('base64url')
    const dpop = await proofOf(key, server.publicUrl + path, { htm: method, ath, jti: randomUUID() })
    const response = await fetch(server.publicUrl + path, { method, headers: { authorization: `DPoP ${token}`, dpop } })
    return (await response.json()) as Record<string, unknown>
  }
  return { forWallets: await call('POST', '/receive'), forOthers: await call('GET', '/whoami') }
}
