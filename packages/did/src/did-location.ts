import { Problem } from '@tillit/problem'
import { parseDid, type WebPlace } from './parse-did.ts'

/** The URL of the `did.jsonl` of a did:webvh (did:webvh v1.0, "The DID to HTTPS Transformation"). Throws Problem invalid-did. */
export function webvhLocation(did: string): URL {
  return locationOf(webvhPlace(did), 'did.jsonl')
}

/** The URL of the `did-witness.json` of a did:webvh, beside its log. Throws Problem invalid-did. */
export function webvhWitnessLocation(did: string): URL {
  return locationOf(webvhPlace(did), 'did-witness.json')
}

/** The folder that the paths of a did:webvh's DID URLs lead into: never `.well-known`. Throws Problem invalid-did. */
export function webvhFolder(did: string): URL {
  const { path, ...host } = webvhPlace(did)
  return new URL(path.map((segment) => `${encodeURIComponent(segment)}/`).join(''), `${originOf(host)}/`)
}

/** The URL of the `did.json` of a did:web. Throws Problem invalid-did. */
export function webLocation(did: string): URL {
  const parsed = parseDid(did)
  if (parsed.method !== 'web') throw new Problem('invalid-did', { detail: 'A did:web is expected' })
  return locationOf(parsed.place, 'did.json')
}

function webvhPlace(did: string): WebPlace {
  const parsed = parseDid(did)
  if (parsed.method !== 'webvh') throw new Problem('invalid-did', { detail: 'A did:webvh is expected' })
  return parsed.place
}

function locationOf({ path, ...host }: WebPlace, file: string): URL {
  const folder = path.length === 0 ? '.well-known' : path.map(encodeURIComponent).join('/')
  return new URL(`${originOf(host)}/${folder}/${file}`)
}

function originOf({ host, port }: Pick<WebPlace, 'host' | 'port'>): string {
  return `https://${host}${port === null ? '' : `:${port}`}`
}
