/** Packages that run in both name WebCrypto's types by Node's module; in a browser they are the global ones. */
declare module 'node:crypto' {
  export namespace webcrypto {
    export type CryptoKey = globalThis.CryptoKey
    export type CryptoKeyPair = globalThis.CryptoKeyPair
  }
}
