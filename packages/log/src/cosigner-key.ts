import { utf8 } from '@tillit/codec'
import { ed25519PublicKey, type MlDsa44PublicKey, mlDsa44PublicKey, type PublicKey } from '@tillit/keys'
import { formatVkey, invalidVkey, isKeyName, keyId, parseVkey } from './vkey.ts'

/** Signature types of cosignatures (C2SP tlog-cosignature). */
const types = { ed25519: 0x04, 'ml-dsa-44': 0x06 } as const

/** An ML-DSA-44 message has the length of a name in one byte (C2SP tlog-cosignature, ML-DSA-44 signed message). */
export const maxCosignedNameBytes = 255

/** Whose cosignature on a checkpoint is trusted: a witness's name and one of its keys. `id` is 4 bytes. */
export type CosignerKey = { readonly name: string; readonly id: Uint8Array } & (
  | { readonly type: 'ed25519'; readonly publicKey: PublicKey }
  | { readonly type: 'ml-dsa-44'; readonly publicKey: MlDsa44PublicKey }
)

/** Throws Problem invalid-checkpoint for a name or a kind of key that cosigners cannot have. */
export function cosignerKey(name: string, publicKey: PublicKey | MlDsa44PublicKey): CosignerKey {
  if (!isKeyName(name)) throw invalidVkey('the name is empty, has spaces, control characters or a plus')
  if (publicKey.alg === 'ML-DSA-44' && utf8(name).length > maxCosignedNameBytes)
    throw invalidVkey('the name is longer than an ML-DSA-44 cosignature can say')
  const idOf = (type: number) => keyId(name, { type, bytes: publicKey.bytes })
  if (publicKey.alg === 'ML-DSA-44') return { name, id: idOf(types['ml-dsa-44']), type: 'ml-dsa-44', publicKey }
  if (publicKey.alg === 'EdDSA') return { name, id: idOf(types.ed25519), type: 'ed25519', publicKey }
  throw invalidVkey('the key is neither an Ed25519 nor an ML-DSA-44 key')
}

/** The vkey text of a cosigner: `name+hex of the id+base64 of the type and the key`. */
export function formatCosignerKey({ name, type, publicKey }: CosignerKey): string {
  return formatVkey(name, { type: types[type], bytes: publicKey.bytes })
}

/** Parses a cosigner's vkey. Throws Problem invalid-checkpoint when it is malformed, weak or of another type. */
export function parseCosignerKey(vkey: string): CosignerKey {
  return parseVkey(vkey, (name, { type, bytes }) => {
    if (type === types.ed25519) return cosignerKey(name, decoded(ed25519PublicKey, bytes))
    if (type === types['ml-dsa-44']) return cosignerKey(name, decoded(mlDsa44PublicKey, bytes))
    throw invalidVkey('its key is not that of a cosigner')
  })
}

function decoded<Key>(decode: (bytes: Uint8Array) => Key, bytes: Uint8Array): Key {
  try {
    return decode(bytes)
  } catch (cause) {
    throw invalidVkey('its key is malformed or weak', cause)
  }
}
