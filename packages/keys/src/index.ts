export { maxJwsCharacters, type ParsedJws, parseJws, signJws, verifyJws } from './jws.ts'
export {
  ed25519PublicKey,
  type PublicKey,
  p256PublicKey,
  parseMultikey,
  parsePublicJwk,
  thumbprint,
  toMultikey,
  toPublicJwk,
} from './public-key.ts'
export {
  generatePrivateJwk,
  type PrivateJwk,
  privateJwkFromSeed,
  type Signer,
  signerFromCryptoKeyPair,
  signerFromJwk,
  signerFromSeed,
} from './signer.ts'
export { verifySignature } from './verify.ts'
