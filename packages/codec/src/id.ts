import { toBase64url } from './base64.ts'

/** 16 random bytes make an opaque id that cannot be guessed or enumerated. */
export const idBytes = 16

/** `prefix_` and 22 base64url characters from 16 random bytes, for example `mp_…`. */
export function encodeId<Prefix extends string>(prefix: Prefix, random: Uint8Array): `${Prefix}_${string}` {
  if (random.length !== idBytes) throw new RangeError(`an id takes ${idBytes} random bytes`)
  return `${prefix}_${toBase64url(random)}`
}
