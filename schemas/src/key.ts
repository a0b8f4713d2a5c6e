import { type Static, Type } from 'typebox'

const coordinate = Type.String({ pattern: '^[A-Za-z0-9_-]{43}$' })

/** A public key as JWK (RFC 7517): Ed25519 (RFC 8037) or P-256, no other members. */
export const PublicJwk = Type.Union([
  Type.Object(
    { kty: Type.Literal('OKP'), crv: Type.Literal('Ed25519'), x: coordinate },
    { additionalProperties: false },
  ),
  Type.Object(
    { kty: Type.Literal('EC'), crv: Type.Literal('P-256'), x: coordinate, y: coordinate },
    { additionalProperties: false },
  ),
])
export type PublicJwk = Static<typeof PublicJwk>
