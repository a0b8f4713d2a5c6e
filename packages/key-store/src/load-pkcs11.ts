import { Problem } from '@tillit/problem'

export type Pkcs11 = typeof import('pkcs11js')

/** Loaded only where it is configured, because it is a native module that some platforms cannot build. */
export async function loadPkcs11(): Promise<Pkcs11> {
  try {
    return (await import('pkcs11js')).default
  } catch (cause) {
    throw new Problem('invalid-configuration', {
      detail: 'KEY_STORE=pkcs11 needs the optional package pkcs11js, which is not installed or was not built here',
      cause,
    })
  }
}
