import { randomBytes } from 'node:crypto'
import { toHex } from '@tillit/codec'
import { isProblem, Problem } from '@tillit/problem'
import type { Handle, PKCS11 } from 'pkcs11js'
import { inTurn } from './in-turn.ts'
import { loadPkcs11, type Pkcs11 } from './load-pkcs11.ts'
import { type TokenAlgorithm, tokenAlgorithms } from './token-algorithms.ts'

export interface TokenOptions {
  /** The PKCS#11 library, an absolute path. */
  readonly modulePath: string
  readonly tokenLabel: string
  readonly pin: string
}

/** A key in the token: its CKA_LABEL, and the CKA_ID in hexadecimal that tells it from others of that label. */
export interface TokenKey {
  readonly label: string
  readonly id: string
  readonly alg: TokenAlgorithm
}

/** A hardware module, or software that is reached like one, through PKCS#11. Private keys are made in it and never leave. */
export interface Token {
  /** A new key pair and its public half: 32 bytes of RFC 8032, or the uncompressed SEC 1 point. */
  generate(label: string, alg: TokenAlgorithm): Promise<{ id: string; publicKey: Uint8Array }>
  /** Signs the message for EdDSA, a digest of 32 bytes otherwise; 64 bytes either way. */
  sign(key: TokenKey, data: Uint8Array): Promise<Uint8Array>
  destroy(key: TokenKey): Promise<void>
  close(): Promise<void>
}

/** How long a signature may take; a module that is away on a network may never answer. */
const signMilliseconds = 10_000
const idBytes = 8
const signatureBytes = 64

/**
 * Opens a session and logs in. Calls go one after the other, because a session does one thing at a time; one that is lost is
 * opened again once. Throws Problem invalid-configuration when library, token or PIN are not what they should be, and
 * key-store-unavailable when the token does not do what it is asked.
 */
export async function openToken(options: TokenOptions): Promise<Token> {
  const pkcs11 = await loadPkcs11()
  const module = loadModule(pkcs11, options.modulePath)
  const turn = inTurn()
  // The token locks itself after a few wrong PINs, so one that was refused is not tried again.
  let pinRefused: Problem | null = null
  let session: Session | null = null
  const login = (): Session => {
    if (pinRefused !== null) throw pinRefused
    try {
      return openSession(pkcs11, module, options)
    } catch (error) {
      if (isProblem(error) && codeOf(error.cause) === pkcs11.CKR_PIN_INCORRECT) pinRefused = error
      throw error
    }
  }
  const lost = new Set(lostSessionCodes(pkcs11))
  const inSession = <T>(step: (session: Session) => Promise<T>): Promise<T> =>
    turn(async () => {
      try {
        session ??= login()
        return await step(session)
      } catch (error) {
        if (!lost.has(codeOf(error) ?? -1)) throw unavailable(error)
        if (session !== null) closeQuietly(module, session.handle)
        session = null
      }
      try {
        session = login()
        return await step(session)
      } catch (error) {
        session = null
        throw unavailable(error)
      }
    })
  await inSession(async () => undefined)
  return {
    generate: (label, alg) => inSession(async ({ handle }) => generate(pkcs11, module, { handle, label, alg })),
    sign: (key, data) =>
      inSession(async (open) => {
        const { signMechanism } = tokenAlgorithms(pkcs11)[key.alg]
        module.C_SignInit(open.handle, { mechanism: signMechanism }, findPrivateKey(pkcs11, module, { open, key }))
        const signing = module.C_SignAsync(open.handle, Buffer.from(data), Buffer.alloc(2 * signatureBytes))
        const signature = await within(signMilliseconds, signing).catch((error) => {
          // A session with a call that never ended takes no other.
          if (isProblem(error)) session = null
          throw error
        })
        if (signature.length !== signatureBytes) throw new Error('the signature of the token is not 64 bytes long')
        return new Uint8Array(signature)
      }),
    destroy: (key) =>
      inSession(async ({ handle }) => {
        for (const kind of [pkcs11.CKO_PRIVATE_KEY, pkcs11.CKO_PUBLIC_KEY])
          for (const object of findObjects(pkcs11, module, { handle, kind, key }))
            module.C_DestroyObject(handle, object)
      }),
    // The library stays loaded: another store of this process may use it. The last session to go logs out.
    close: () =>
      turn(async () => {
        const open = session
        session = null
        pinRefused = new Problem('key-store-unavailable', { detail: 'The token was closed' })
        if (open !== null) closeQuietly(module, open.handle)
      }),
  }
}

interface Session {
  readonly handle: Handle
  /** Handles of private keys, which are good for this session only. */
  readonly keys: Map<string, Handle>
}

function loadModule(pkcs11: Pkcs11, modulePath: string): PKCS11 {
  const module = new pkcs11.PKCS11()
  try {
    module.load(modulePath)
    module.C_Initialize({ flags: pkcs11.CKF_OS_LOCKING_OK })
  } catch (cause) {
    if (codeOf(cause) === pkcs11.CKR_CRYPTOKI_ALREADY_INITIALIZED) return module
    throw new Problem('invalid-configuration', { detail: `${modulePath} is no PKCS#11 library that works here`, cause })
  }
  return module
}

function openSession(pkcs11: Pkcs11, module: PKCS11, { tokenLabel, pin }: TokenOptions): Session {
  const slot = findSlot(module, tokenLabel)
  const handle = module.C_OpenSession(slot, pkcs11.CKF_SERIAL_SESSION | pkcs11.CKF_RW_SESSION)
  try {
    module.C_Login(handle, pkcs11.CKU_USER, pin)
  } catch (cause) {
    // Another session of this process is logged in, and with it all of them.
    if (codeOf(cause) === pkcs11.CKR_USER_ALREADY_LOGGED_IN) return { handle, keys: new Map() }
    closeQuietly(module, handle)
    if (codeOf(cause) === pkcs11.CKR_PIN_INCORRECT)
      throw new Problem('invalid-configuration', {
        detail: `The token ${tokenLabel} refuses the PIN; it is not tried again, because a token locks itself after a few`,
        cause,
      })
    if (codeOf(cause) === pkcs11.CKR_PIN_LOCKED)
      throw new Problem('invalid-configuration', {
        detail: `The token ${tokenLabel} is locked after too many wrong PINs; its security officer can unlock it`,
        cause,
      })
    throw cause
  }
  return { handle, keys: new Map() }
}

function findSlot(module: PKCS11, tokenLabel: string): Handle {
  const slots = module.C_GetSlotList(true).filter((slot) => module.C_GetTokenInfo(slot).label.trim() === tokenLabel)
  const [slot, other] = slots
  if (slot === undefined)
    throw new Problem('invalid-configuration', { detail: `There is no token with the label ${tokenLabel}` })
  if (other !== undefined)
    throw new Problem('invalid-configuration', { detail: `There are several tokens with the label ${tokenLabel}` })
  return slot
}

function generate(
  pkcs11: Pkcs11,
  module: PKCS11,
  { handle, label, alg }: { handle: Handle; label: string; alg: TokenAlgorithm },
): { id: string; publicKey: Uint8Array } {
  const { generateMechanism, parameters, parsePoint } = tokenAlgorithms(pkcs11)[alg]
  // A number drawn at random: two cities may use one token, and a crash may leave a key that nobody knows of.
  const id = randomBytes(idBytes)
  const both = [
    { type: pkcs11.CKA_TOKEN, value: true },
    { type: pkcs11.CKA_LABEL, value: label },
    { type: pkcs11.CKA_ID, value: id },
  ]
  let pair: { publicKey: Handle }
  try {
    pair = module.C_GenerateKeyPair(
      handle,
      { mechanism: generateMechanism },
      [
        ...both,
        { type: pkcs11.CKA_EC_PARAMS, value: Buffer.from(parameters) },
        { type: pkcs11.CKA_VERIFY, value: true },
      ],
      [
        ...both,
        { type: pkcs11.CKA_PRIVATE, value: true },
        { type: pkcs11.CKA_SENSITIVE, value: true },
        { type: pkcs11.CKA_EXTRACTABLE, value: false },
        { type: pkcs11.CKA_SIGN, value: true },
      ],
    )
  } catch (cause) {
    if (!unsupportedCodes(pkcs11).includes(codeOf(cause) ?? -1)) throw cause
    throw new Problem('invalid-configuration', {
      detail: `The token makes no keys for ${alg} (${String(cause)}); use a token that does, or KEY_STORE=files`,
      cause,
    })
  }
  const [point] = module.C_GetAttributeValue(handle, pair.publicKey, [{ type: pkcs11.CKA_EC_POINT }])
  return { id: toHex(id), publicKey: parsePoint(new Uint8Array(point?.value ?? [])) }
}

function findPrivateKey(pkcs11: Pkcs11, module: PKCS11, { open, key }: { open: Session; key: TokenKey }): Handle {
  const known = open.keys.get(key.id)
  if (known !== undefined) return known
  const kind = pkcs11.CKO_PRIVATE_KEY
  const [found, other] = findObjects(pkcs11, module, { handle: open.handle, kind, key })
  if (found === undefined || other !== undefined)
    throw new Problem('invalid-configuration', {
      detail: `The token has ${found === undefined ? 'no' : 'more than one'} key ${key.label} with the id ${key.id}; put back the token, or its copy, with which the key was made`,
    })
  open.keys.set(key.id, found)
  return found
}

function findObjects(
  pkcs11: Pkcs11,
  module: PKCS11,
  { handle, kind, key }: { handle: Handle; kind: number; key: TokenKey },
): Handle[] {
  module.C_FindObjectsInit(handle, [
    { type: pkcs11.CKA_CLASS, value: kind },
    { type: pkcs11.CKA_LABEL, value: key.label },
    { type: pkcs11.CKA_ID, value: Buffer.from(key.id, 'hex') },
  ])
  try {
    return module.C_FindObjects(handle, 2)
  } finally {
    module.C_FindObjectsFinal(handle)
  }
}

/** The token forgets a session whose process ended in any case. */
function closeQuietly(module: PKCS11, handle: Handle): void {
  try {
    module.C_CloseSession(handle)
  } catch {
    // It is closed already.
  }
}

async function within<T>(milliseconds: number, call: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, fail) => {
    timer = setTimeout(
      () => fail(new Problem('key-store-unavailable', { detail: 'The token did not answer in time' })),
      milliseconds,
    )
  })
  try {
    return await Promise.race([call, late])
  } finally {
    clearTimeout(timer)
  }
}

function lostSessionCodes(pkcs11: Pkcs11): number[] {
  return [
    pkcs11.CKR_SESSION_HANDLE_INVALID,
    pkcs11.CKR_SESSION_CLOSED,
    pkcs11.CKR_USER_NOT_LOGGED_IN,
    pkcs11.CKR_KEY_HANDLE_INVALID,
    pkcs11.CKR_OBJECT_HANDLE_INVALID,
    pkcs11.CKR_OPERATION_ACTIVE,
    pkcs11.CKR_DEVICE_REMOVED,
    pkcs11.CKR_DEVICE_ERROR,
    pkcs11.CKR_TOKEN_NOT_PRESENT,
  ]
}

function unsupportedCodes(pkcs11: Pkcs11): number[] {
  return [
    pkcs11.CKR_MECHANISM_INVALID,
    pkcs11.CKR_DOMAIN_PARAMS_INVALID,
    pkcs11.CKR_ATTRIBUTE_VALUE_INVALID,
    pkcs11.CKR_FUNCTION_NOT_SUPPORTED,
  ]
}

function codeOf(error: unknown): number | null {
  return error instanceof Error && 'code' in error && typeof error.code === 'number' ? error.code : null
}

function unavailable(cause: unknown): Error {
  if (isProblem(cause) || codeOf(cause) === null) return cause instanceof Error ? cause : new Error(String(cause))
  return new Problem('key-store-unavailable', { detail: 'The token does not do what it is asked', cause })
}
