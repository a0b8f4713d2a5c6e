import { toBase64url } from '@tillit/codec'

/** 256 unguessable bits: state, code verifier, identifiers. */
export function randomText(): string {
  return toBase64url(crypto.getRandomValues(new Uint8Array(32)))
}

/** A name of the wallet's own for something it keeps. */
export function newLocalId(): string {
  return toBase64url(crypto.getRandomValues(new Uint8Array(16)))
}
