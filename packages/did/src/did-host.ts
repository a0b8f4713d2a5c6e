import { Problem } from '@tillit/problem'

/** RFC 1035 section 2.3.4: 63 octets a label, 253 characters a name. */
const labelPattern = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/
const maxHostCharacters = 253

/** RFC 3986 `unreserved` without `~`, which a DID cannot hold (DID Core 1.0 section 3.1). */
const didCharacters = /^[A-Za-z0-9._-]$/

/**
 * The domain element of a did:web or did:webvh: a DNS name and `%3A` with a port. Only one spelling of a place is
 * taken, so two DIDs with different text are never the same place. Throws Problem invalid-did.
 */
export function parseHost(domain: string): { host: string; port: number | null } {
  const [host, port, ...rest] = domain.split('%3A')
  if (host === undefined || rest.length > 0) throw refused('The host of the DID has more than one port')
  checkHost(host)
  return { host, port: port === undefined ? null : parsePort(port) }
}

/** The domain element for `example.com` or `localhost:8080`. Throws Problem invalid-did. */
export function encodeHost(hostAndPort: string): string {
  const domain = hostAndPort.replace(':', '%3A')
  parseHost(domain)
  return domain
}

/** The part of a did:web or did:webvh that says where it lives. Throws Problem invalid-did. */
export function encodePlace(hostAndPort: string, path: readonly string[]): string {
  return [encodeHost(hostAndPort), ...path.map(encodeSegment)].join(':')
}

/** Decodes path elements. Throws Problem invalid-did on empty or dot segments, on slashes and on double encoding. */
export function parsePathSegments(segments: readonly string[]): string[] {
  return segments.map((segment) => {
    const decoded = decodeSegment(segment)
    if (decoded === '' || decoded === '.' || decoded === '..')
      throw refused('A path segment of the DID is empty or made of dots')
    // What another parser may read as a separator, as an encoding of its own, or not at all.
    if (/[/\\%?#\p{Cc}\p{Zs}]/u.test(decoded))
      throw refused('A path segment of the DID holds a character that is not allowed')
    return decoded
  })
}

/** One path element for a segment of plain text. Throws Problem invalid-did when a DID may not hold it. */
export function encodeSegment(text: string): string {
  let encoded = ''
  for (const byte of new TextEncoder().encode(text)) {
    const character = String.fromCharCode(byte)
    encoded += didCharacters.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
  }
  parsePathSegments([encoded])
  return encoded
}

function checkHost(host: string): void {
  const labels = host.split('.')
  if (host.length > maxHostCharacters || !labels.every((label) => labelPattern.test(label)))
    throw refused('The host of the DID is not a DNS name in lower case')
  // URL parsers read a host as an IPv4 address when its last label is a number (`127.1`, `0x7f.1`).
  if (!/^[a-z]/.test(labels.at(-1) ?? '')) throw refused('The host of the DID is an IP address')
  // The did:webvh grammar wants two labels; `localhost` is let through for development, as did:web does.
  if (labels.length < 2 && host !== 'localhost') throw refused('The host of the DID is not fully qualified')
}

function parsePort(text: string): number {
  const port = Number(text)
  if (!/^[1-9][0-9]{0,4}$/.test(text) || port > 65535) throw refused('The port of the DID is not a number up to 65535')
  return port
}

function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch (cause) {
    throw new Problem('invalid-did', { detail: 'A path segment of the DID is not encoded correctly', cause })
  }
}

function refused(detail: string): Problem {
  return new Problem('invalid-did', { detail })
}
