import { createPrivateKey, type JsonWebKey, X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { type Signer, signerFromJwk } from '@tillit/keys'
import { Problem } from '@tillit/problem'
import type { VerifierCertificate } from '@tillit/service-verifier'

const pemCertificate = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g

/**
 * By what wallets of the high assurance profile know this verifier, from the PEM file that the operator names: the certificate
 * first, then those between it and the anchor of trust (which stays out), and the private key on P-256. Throws Problem
 * invalid-configuration.
 */
export async function openVerifierCertificate(file: string | null, now: Date): Promise<VerifierCertificate | null> {
  if (file === null) return null
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw wrong(`names ${file}, which cannot be read`, cause)
  })
  try {
    const [leaf, ...issuers] = (text.match(pemCertificate) ?? []).map((pem) => new X509Certificate(pem))
    if (!leaf) throw wrong('holds no certificate')
    // HAIP 1.0 section 5: a certificate that signs itself proves nothing.
    if (leaf.issuer === leaf.subject) throw wrong('holds a certificate that signs itself')
    if (leaf.validFromDate > now || leaf.validToDate <= now) throw wrong('holds a certificate that is not valid now')
    const key = createPrivateKey(text)
    if (!leaf.checkPrivateKey(key)) throw wrong('holds a private key that is not that of the certificate')
    return { signer: await p256Signer(key.export({ format: 'jwk' })), chain: [der(leaf), ...issuers.map(der)] }
  } catch (cause) {
    if (cause instanceof Problem) throw cause
    throw wrong('is not certificates and a private key in PEM', cause)
  }
}

function p256Signer({ kty, crv, x, y, d }: JsonWebKey): Promise<Signer> {
  if (kty !== 'EC' || crv !== 'P-256' || !x || !y || !d) throw wrong('holds a key that is not on P-256 (ES256)')
  return signerFromJwk({ kty, crv, x, y, d })
}

function der(certificate: X509Certificate): string {
  return certificate.raw.toString('base64')
}

function wrong(why: string, cause?: unknown): Problem {
  return new Problem('invalid-configuration', {
    detail: `VERIFIER_CERTIFICATE ${why}`,
    ...(cause === undefined ? {} : { cause }),
  })
}
