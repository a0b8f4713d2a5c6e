import { X509Certificate } from 'node:crypto'
import { type PublicKey, parsePublicJwk } from '@tillit/keys'
import { Problem } from '@tillit/problem'

/** Longer chains are nobody's. */
const maxCertificates = 5

/**
 * The key of the first certificate of an `x5c` header (RFC 7515 section 4.1.6) when the chain leads to a trust anchor and every
 * certificate is in its time. Throws Problem invalid-proof, and unsupported-algorithm for other keys than Ed25519 and P-256.
 */
export function keyOfCertificateChain(
  x5c: unknown,
  { anchors, now }: { anchors: readonly string[]; now: Date },
): PublicKey {
  const chain = parseChain(x5c)
  const [leaf] = chain
  const last = chain.at(-1)
  if (leaf === undefined || last === undefined) throw untrusted('The certificate chain is empty')
  for (const certificate of chain) {
    if (now < certificate.validFromDate || now >= certificate.validToDate)
      throw untrusted('A certificate is outside its time')
  }
  chain.forEach((certificate, index) => {
    const issuer = chain[index + 1]
    if (issuer !== undefined && !isIssuedBy(certificate, issuer)) throw untrusted('The certificates form no chain')
  })
  const trusted = anchors
    .map((pem) => new X509Certificate(pem))
    .filter((anchor) => now >= anchor.validFromDate && now < anchor.validToDate)
  if (!trusted.some((anchor) => anchor.raw.equals(last.raw) || isIssuedBy(last, anchor)))
    throw untrusted('The certificate chain does not lead to an attester that is trusted here')
  const { kty, crv, x, y } = leaf.publicKey.export({ format: 'jwk' })
  return parsePublicJwk({ kty, crv, x, y })
}

function isIssuedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  return issuer.ca && certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey)
}

function parseChain(x5c: unknown): X509Certificate[] {
  if (!Array.isArray(x5c) || x5c.length > maxCertificates) throw untrusted('The certificates are not a short array')
  return x5c.map((encoded: unknown) => {
    if (typeof encoded !== 'string') throw untrusted('A certificate is no text')
    try {
      return new X509Certificate(Buffer.from(encoded, 'base64'))
    } catch (cause) {
      throw untrusted('A certificate cannot be read', cause)
    }
  })
}

function untrusted(detail: string, cause?: unknown): Problem {
  return new Problem('invalid-proof', { detail, ...(cause === undefined ? {} : { cause }) })
}
