import { randomUUID } from 'node:crypto'
import { sha256, toBase64url, utf8 } from '@tillit/codec'
import { signJws, thumbprint, toPublicJwk } from '@tillit/keys'
import type { PermissionsCity } from './permissions-city.ts'

export interface AccessRequest {
  /** The request exactly as sent. */
  text: string
  /** What has to be decided, in the order of the questions. */
  expected: boolean[]
}

/** Signed before anything is measured: what signing costs the client is no cost of the city. */
export interface AccessRequests {
  single(count: number): Promise<AccessRequest[]>
  batch(count: number, size: number): Promise<AccessRequest[]>
  authenticated(count: number): Promise<AccessRequest[]>
  bare(count: number): Promise<AccessRequest[]>
}

const tokenSeconds = 300

export async function prepareAccessRequests(city: PermissionsCity): Promise<AccessRequests> {
  const { publicUrl, partyDid, partyKey, issuerKey, points } = city
  const seconds = () => Math.floor(Date.now() / 1000)
  const jwk = toPublicJwk(partyKey.publicKey)
  const token = await signJws(
    { typ: 'at+jwt', kid: 'bench' },
    {
      ...{ iss: `${publicUrl}/oauth`, aud: publicUrl, sub: partyDid, client_id: partyDid, kind: 'organisation' },
      ...{ iat: seconds(), exp: seconds() + tokenSeconds, cnf: { jkt: thumbprint(partyKey.publicKey) } },
    },
    issuerKey,
  )
  const ath = toBase64url(sha256(utf8(token)))
  const headersOf = async (path: string) => {
    const claims = { htm: 'POST', htu: publicUrl + path, iat: seconds(), jti: randomUUID(), ath }
    return [`authorization: DPoP ${token}`, `dpop: ${await signJws({ typ: 'dpop+jwt', jwk }, claims, partyKey)}`]
  }
  const subject = { type: 'did', id: partyDid }
  let next = 0
  const turn = () => {
    const index = (next++ * 17) % points.length
    return { resource: { type: 'metering_point', id: points[index] ?? '' }, expected: index % 2 === 0 }
  }
  const singles = (path: string, isSigned: boolean) => (count: number) =>
    each(count, async () => {
      const { resource, expected } = turn()
      const body = { subject, action: { name: 'read' }, resource, context: { granularity: 'P1D' } }
      return { text: message(path, body, isSigned ? await headersOf(path) : []), expected: [expected] }
    })
  const batches = '/access/v1/evaluations'
  return {
    single: singles('/access/v1/evaluation', true),
    authenticated: singles('/authenticated', true),
    bare: singles('/bare', false),
    batch: (count, size) =>
      each(count, async () => {
        const asked = Array.from({ length: size }, turn)
        const evaluations = asked.map(({ resource }) => ({ resource }))
        const body = { subject, action: { name: 'read' }, context: { granularity: 'P1D' }, evaluations }
        return {
          text: message(batches, body, await headersOf(batches)),
          expected: asked.map(({ expected }) => expected),
        }
      }),
  }
}

function each<Made>(count: number, make: () => Promise<Made>): Promise<Made[]> {
  return Promise.all(Array.from({ length: count }, make))
}

function message(path: string, body: object, headers: string[]): string {
  const text = JSON.stringify(body)
  const about = ['content-type: application/json', `content-length: ${Buffer.byteLength(text)}`]
  return [`POST ${path} HTTP/1.1`, 'host: bench.tillit.example', ...about, ...headers, '', text].join('\r\n')
}
