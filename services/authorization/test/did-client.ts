import { randomUUID } from 'node:crypto'
import { didKeyDocument, didKeyFor } from '@tillit/did'
import { generatePrivateJwk, type Signer, signerFromJwk, signJws, toMultikey, toPublicJwk } from '@tillit/keys'
import type { DidResolutionResult } from '@tillit/schemas'

export const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

export interface DidClient {
  did: string
  kid: string
  signer: Signer
  proofSigner: Signer
}

/** A machine whose DID is its key. */
export async function newDidClient(): Promise<DidClient> {
  const signer = await signerFromJwk(await generatePrivateJwk())
  const did = didKeyFor(signer.publicKey)
  const proofSigner = await signerFromJwk(await generatePrivateJwk('ES256'))
  return { did, kid: `${did}#${toMultikey(signer.publicKey)}`, signer, proofSigner }
}

export function resolveDidKey(did: string): DidResolutionResult {
  return resolved(did, { ...didKeyDocument(did.slice('did:key:'.length)) })
}

export function resolved(did: string, members: Record<string, unknown>): DidResolutionResult {
  return { didDocument: { id: did, ...members }, didResolutionMetadata: {}, didDocumentMetadata: {} }
}

export function didJwkOf(jwk: object): string {
  return `did:jwk:${Buffer.from(JSON.stringify(jwk)).toString('base64url')}`
}

export async function assertionOf(
  client: Pick<DidClient, 'did' | 'kid' | 'signer'>,
  issuer: string,
  changes: Record<string, unknown> = {},
): Promise<string> {
  const now = Math.floor(Date.now() / 1000)
  const claims = { iss: client.did, sub: client.did, aud: issuer, jti: randomUUID(), iat: now, exp: now + 60 }
  return signJws({ typ: 'JWT', kid: client.kid }, { ...claims, ...changes }, client.signer)
}

export async function proofOf(signer: Signer, url: string, changes: Record<string, unknown> = {}): Promise<string> {
  const claims = { htm: 'POST', htu: url, jti: randomUUID(), iat: Math.floor(Date.now() / 1000) }
  return signJws({ typ: 'dpop+jwt', jwk: toPublicJwk(signer.publicKey) }, { ...claims, ...changes }, signer)
}

export interface TokenAnswer {
  status: number
  contentType: string | null
  body: { access_token?: string; token_type?: string; expires_in?: number; error?: string; error_description?: string }
}

/** One request to the token endpoint with exactly these parts. */
export async function requestToken(
  issuer: string,
  parts: { assertion: string; proof?: string; parameters?: Record<string, string>; headers?: Record<string, string> },
): Promise<TokenAnswer> {
  const response = await fetch(`${issuer}/token`, {
    method: 'POST',
    headers: { accept: 'application/json', ...(parts.proof ? { dpop: parts.proof } : {}), ...parts.headers },
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_assertion_type: assertionType,
      client_assertion: parts.assertion,
      ...parts.parameters,
    }),
  })
  return {
    status: response.status,
    contentType: response.headers.get('content-type'),
    body: (await response.json()) as TokenAnswer['body'],
  }
}
