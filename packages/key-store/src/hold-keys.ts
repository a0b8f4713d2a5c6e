import { createHash, randomBytes } from 'node:crypto'
import { fromBase64url, toBase64url, utf8 } from '@tillit/codec'
import {
  ed25519PublicKey,
  generatePrivateJwk,
  type MlDsa44Signer,
  mlDsa44SignerFromSeed,
  p256PublicKey,
  type Secp256k1Signer,
  type Signer,
  secp256k1SignerFromPrivateKey,
  signerFromJwk,
  verifySignature,
} from '@tillit/keys'
import { isProblem, Problem } from '@tillit/problem'
import type { HeldKey, KeyAlgorithm, KeyVersion } from './key-record.ts'
import { recoverableSignature } from './recoverable-signature.ts'
import type { Token, TokenKey } from './token.ts'

export type AnySigner = Signer | MlDsa44Signer | Secp256k1Signer

export interface KeyPlace {
  /** `log.2`: the name of the key and its version; the label in a token. */
  readonly label: string
  readonly alg: KeyAlgorithm
}

/** A new key in the token where there is one that can hold it, else as what a sealed file keeps. */
export async function makeKey({ label, alg }: KeyPlace, token: Token | null): Promise<HeldKey> {
  if (alg === 'ML-DSA-44') return { held: 'secret', secret: toBase64url(randomBytes(32)) }
  if (token !== null) {
    const { id, publicKey } = await token.generate(label, alg)
    return { held: 'token', id, publicKey: toBase64url(publicKey) }
  }
  return alg === 'ES256K' ? newSecp256k1() : { held: 'jwk', jwk: await generatePrivateJwk(alg) }
}

/** What signs with the key. Throws Problem invalid-configuration when it is in a token that is not configured. */
export async function signerOf(
  { label, alg }: KeyPlace,
  key: KeyVersion['key'],
  token: Token | null,
): Promise<AnySigner> {
  if (key.held === 'jwk') return signerFromJwk(key.jwk)
  if (key.held === 'secret') {
    const secret = fromBase64url(key.secret)
    return alg === 'ML-DSA-44' ? mlDsa44SignerFromSeed(secret) : secp256k1SignerFromPrivateKey(secret)
  }
  if (token === null)
    throw new Problem('invalid-configuration', {
      detail: `The key ${label} is in a token; set KEY_STORE=pkcs11 and what belongs to it`,
    })
  if (alg === 'ML-DSA-44') throw new Error('a token holds no ML-DSA-44 key')
  return tokenSigner({ label, id: key.id, alg }, fromBase64url(key.publicKey), token)
}

async function tokenSigner(key: TokenKey, point: Uint8Array, token: Token): Promise<Signer | Secp256k1Signer> {
  const { alg } = key
  if (alg === 'ES256K') {
    const signer: Secp256k1Signer = {
      alg,
      publicKey: point,
      signDigest: async (digest) => recoverableSignature(await token.sign(key, digest), digest, point),
    }
    await signer.signDigest(sha256(trial))
    return signer
  }
  const publicKey = alg === 'EdDSA' ? ed25519PublicKey(point) : p256PublicKey(point)
  const signer: Signer = {
    alg,
    publicKey,
    sign: (message) => token.sign(key, alg === 'EdDSA' ? message : sha256(message)),
  }
  if (!verifySignature(publicKey, trial, await signer.sign(trial)))
    throw new Problem('invalid-configuration', {
      detail: `The token signs with another key than ${key.label}; put back the token with which it was made`,
    })
  return signer
}

/** Signed once when a key of a token is opened, so that a wrong token is noticed before anything rests on it. */
const trial = utf8('Tillit asks whether this is the key that it was')

function sha256(message: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha256').update(message).digest())
}

/** Drawn until it is below the order of the curve: the first one, but for one case in 2^127. */
function newSecp256k1(): HeldKey {
  const secret = new Uint8Array(randomBytes(32))
  try {
    secp256k1SignerFromPrivateKey(secret)
  } catch (error) {
    if (!isProblem(error, 'invalid-key')) throw error
    return newSecp256k1()
  }
  return { held: 'secret', secret: toBase64url(secret) }
}
