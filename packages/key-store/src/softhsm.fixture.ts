import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Handle } from 'pkcs11js'
import { loadPkcs11 } from './load-pkcs11.ts'
import type { TokenOptions } from './token.ts'

const libraries = [
  '/usr/lib/softhsm/libsofthsm2.so',
  '/usr/lib64/softhsm/libsofthsm2.so',
  '/usr/lib64/pkcs11/libsofthsm2.so',
  '/opt/homebrew/lib/softhsm/libsofthsm2.so',
  '/usr/local/lib/softhsm/libsofthsm2.so',
]
const securityOfficerPin = '87654321'

/** Null where SoftHSM is not installed. */
export function findSoftHsm(): string | null {
  return libraries.find((path) => existsSync(path)) ?? null
}

/** A SoftHSM of this process and its children, with its tokens in the folder. Once in a process: the library reads it once. */
export function useSoftHsm(folder: string): void {
  mkdirSync(join(folder, 'tokens'), { recursive: true })
  const settings = join(folder, 'softhsm2.conf')
  writeFileSync(
    settings,
    `directories.tokendir = ${join(folder, 'tokens')}\nobjectstore.backend = file\nlog.level = ERROR\n`,
  )
  process.env.SOFTHSM2_CONF = settings
}

/** Made through the library itself, because one that is initialised does not look for tokens that others make. */
export async function makeToken(modulePath: string, tokenLabel: string): Promise<TokenOptions> {
  const pin = '12345678'
  const pkcs11 = await loadPkcs11()
  const module = new pkcs11.PKCS11()
  module.load(modulePath)
  if (!initialised) module.C_Initialize({ flags: pkcs11.CKF_OS_LOCKING_OK })
  initialised = true
  const isNew = (slot: Handle) => (module.C_GetTokenInfo(slot).flags & pkcs11.CKF_TOKEN_INITIALIZED) === 0
  const empty = module.C_GetSlotList(true).find(isNew)
  if (empty === undefined) throw new Error('SoftHSM has no free slot')
  // PKCS#11 labels are 32 bytes, padded with blanks.
  module.C_InitToken(empty, securityOfficerPin, tokenLabel.padEnd(32))
  const session = module.C_OpenSession(empty, pkcs11.CKF_SERIAL_SESSION | pkcs11.CKF_RW_SESSION)
  module.C_Login(session, pkcs11.CKU_SO, securityOfficerPin)
  module.C_InitPIN(session, pin)
  module.C_CloseSession(session)
  return { modulePath, tokenLabel, pin }
}

/** The library allows it once in a process. */
let initialised = false
