import { Problem } from '@tillit/problem'
import { parseDid, type WebPlace } from './parse-did.ts'

/** The URL of the `did.jsonl` of a did:webvh (did:webvh v1.0, "The DID to HTTPS Transformation"). Throws Problem invalid-did. */
export function webvhLocation(did: string): URL {
  const parsed = parseDid(did)
  if (parsed.method !== 'webvh') throw new Problem('invalid-did', { detail: 'A did:webvh is expected' })
  return locationOf(parsed.place, 'did.jsonl')
}

/** The URL of the `did.json` of a did:web. Throws Problem invalid-did. */
export function webLocation(did: string): URL {
  const parsed = parseDid(did)
  if (parsed.method !== 'web') throw new Problem('invalid-did', { detail: 'A did:web is expected' })
  return locationOf(parsed.place, 'did.json')
}

function locationOf({ host, port, path }: WebPlace, file: string): URL {
  const folder = path.length === 0 ? '.well-known' : path.map(encodeURIComponent).join('/')
  return new URL(`https://${host}${port === null ? '' : `:${port}`}/${folder}/${file}`)
}
