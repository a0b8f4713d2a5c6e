import { Type } from 'typebox'

/** Building blocks that several nouns share. */
export const Did = Type.String({
  pattern: '^did:[a-z0-9]+:[A-Za-z0-9._:%-]+$',
  maxLength: 1024,
  description: 'A DID (W3C DID Core 1.0)',
})
export const Instant = Type.String({ format: 'date-time', description: 'RFC 3339 date and time with an offset' })
export const CompactJws = Type.String({
  pattern: '^[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+$',
  maxLength: 262144,
})
export const Gsrn = Type.String({
  pattern: '^[0-9]{18}$',
  description: 'Global Service Relation Number, 18 digits with GS1 check digit',
})
export const OpaqueId = (prefix: string) =>
  Type.String({ pattern: `^${prefix}_[A-Za-z0-9_-]{22}$`, description: `Opaque id, ${prefix}_…` })
export const Sha256Hex = Type.String({ pattern: '^[0-9a-f]{64}$' })
export const Base64url = Type.String({ pattern: '^[A-Za-z0-9_-]*$' })
