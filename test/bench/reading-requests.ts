import { randomUUID } from 'node:crypto'
import { sha256, toBase64url, utf8 } from '@tillit/codec'
import { signJws, thumbprint, toPublicJwk } from '@tillit/keys'
import type { ReadingCity } from './reading-city.ts'
import { type PointDay, pointDay } from './readings-fill.ts'

export interface PreparedRequest {
  /** The request exactly as sent. */
  text: string
  /** What the values of the answer have to come to. */
  sum: number
}

/** Requests that are signed before anything is measured: what signing costs the client is no cost of the city. */
export interface Requests {
  protected(count: number): Promise<PreparedRequest[]>
  signed(count: number): Promise<PreparedRequest[]>
  bare(count: number): Promise<PreparedRequest[]>
}

const tokenSeconds = 300

export async function prepareRequests(city: ReadingCity): Promise<Requests> {
  const { publicUrl, readerDid, readerKey, issuerKey } = city
  const seconds = () => Math.floor(Date.now() / 1000)
  const jwk = toPublicJwk(readerKey.publicKey)
  // One token for the run, as a reader has one for five minutes; each request has a proof of its own.
  const token = await signJws(
    { typ: 'at+jwt', kid: 'bench' },
    {
      ...{ iss: `${publicUrl}/oauth`, aud: publicUrl, sub: readerDid, client_id: readerDid, kind: 'organisation' },
      ...{ iat: seconds(), exp: seconds() + tokenSeconds, cnf: { jkt: thumbprint(readerKey.publicKey) } },
    },
    issuerKey,
  )
  const ath = toBase64url(sha256(utf8(token)))
  const proof = (htu: string) => {
    const claims = { htm: 'GET', htu, iat: seconds(), jti: randomUUID(), ath }
    return signJws({ typ: 'dpop+jwt', jwk }, claims, readerKey)
  }
  const each = (count: number, prepare: (day: PointDay) => Promise<string>) =>
    Promise.all(
      Array.from({ length: count }, async (_, i): Promise<PreparedRequest> => {
        const day = pointDay(i)
        return { text: await prepare(day), sum: day.sum }
      }),
    )
  return {
    protected: (count) =>
      each(count, async (day) => {
        const path = `/metering-points/${day.point}/readings`
        const headers = [`authorization: DPoP ${token}`, `dpop: ${await proof(publicUrl + path)}`]
        return message(path, day, headers)
      }),
    signed: (count) =>
      each(count, async (day) => {
        const path = `/signed/${day.point}`
        const signature = toBase64url(await readerKey.sign(utf8(`${path}?${query(day)}`)))
        return message(path, day, [`signature: ${signature}`])
      }),
    bare: (count) => each(count, async (day) => message(`/bare/${day.point}`, day, [])),
  }
}

function query({ from, to }: PointDay): string {
  return `from=${from.toISOString()}&to=${to.toISOString()}`
}

function message(path: string, day: PointDay, headers: string[]): string {
  return [`GET ${path}?${query(day)} HTTP/1.1`, 'host: bench.tillit.example', ...headers, '', ''].join('\r\n')
}
