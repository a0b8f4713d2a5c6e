export { maxJwsCharacters, type ParsedJws, parseJws, signJws, verifyJws } from './jws.ts'
export {
  type MlDsa44PublicKey,
  type MlDsa44Signer,
  mlDsa44PublicKey,
  mlDsa44SignerFromSeed,
  verifyMlDsa44,
} from './ml-dsa.ts'
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
export { type Secp256k1Signer, secp256k1SignerFromPrivateKey } from './secp256k1.ts'
export {
  generatePrivateJwk,
  type PrivateJwk,
  privateJwkFromSeed,
  type Signer,
  signerFromCryptoKeyPair,
  signerFromJwk,
  signerFromSeed,
} from './signer.ts'
export { verifySignature, verifySignatureAsync } from './verify.ts'
