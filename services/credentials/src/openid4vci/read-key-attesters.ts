import { X509Certificate } from 'node:crypto'
import { createChecker } from '@tillit/http'
import { parsePublicJwk } from '@tillit/keys'
import { isProblem, Problem } from '@tillit/problem'
import { Type } from 'typebox'
import type { KeyAttesters } from './key-attestation.ts'

const closed = { additionalProperties: false } as const

const check = createChecker<{
  keys?: { kid: string; jwk: Record<string, unknown> }[]
  certificates?: string[]
  required?: boolean
}>(
  Type.Object(
    {
      keys: Type.Optional(
        Type.Array(Type.Object({ kid: Type.String(), jwk: Type.Record(Type.String(), Type.Unknown()) }, closed)),
      ),
      certificates: Type.Optional(Type.Array(Type.String(), { description: 'Trust anchors in PEM' })),
      required: Type.Optional(Type.Boolean({ description: 'Nothing is issued to a key that nobody attested' })),
    },
    closed,
  ),
)

/**
 * The attesters of keys of a city's configuration: `{keys?: [{kid, jwk}], certificates?: [PEM], required?}`. Throws Problem
 * invalid-configuration.
 */
export function readKeyAttesters(value: unknown): KeyAttesters {
  try {
    const { keys = [], certificates = [], required = false } = check(value)
    if (keys.length + certificates.length === 0) throw misconfigured('names neither keys nor certificates')
    certificates.forEach(requireCertificate)
    return { keys: new Map(keys.map(({ kid, jwk }) => [kid, parsePublicJwk(jwk)])), certificates, required }
  } catch (cause) {
    if (!isProblem(cause) || cause.code === 'invalid-configuration') throw cause
    throw misconfigured(cause.message, cause)
  }
}

function requireCertificate(pem: string): void {
  try {
    new X509Certificate(pem)
  } catch (cause) {
    throw misconfigured('holds a certificate that cannot be read', cause)
  }
}

function misconfigured(why: string, cause?: unknown): Problem {
  return new Problem('invalid-configuration', { detail: `The list of key attesters ${why}`, cause })
}
