import { createChecker } from '@tillit/http'
import { parsePublicJwk } from '@tillit/keys'
import { isProblem, Problem } from '@tillit/problem'
import { type Static, Type } from 'typebox'

const maxWallets = 1000
const closed = { additionalProperties: false } as const

const coordinate = Type.String({ maxLength: 64 })
const ProviderKey = Type.Object(
  {
    kty: Type.String(),
    crv: Type.String(),
    x: coordinate,
    y: Type.Optional(coordinate),
    kid: Type.Optional(Type.String({ maxLength: 256 })),
    alg: Type.Optional(Type.String()),
    use: Type.Optional(Type.Literal('sig')),
  },
  closed,
)

const Wallet = Type.Object(
  {
    client_id: Type.String({ pattern: '^[\\x21-\\x7e]{1,256}$' }),
    name: Type.String({ minLength: 1, maxLength: 100, description: 'What the person is asked about' }),
    redirect_uris: Type.Array(Type.String({ maxLength: 2048 }), { minItems: 1, maxItems: 20, uniqueItems: true }),
    attestation_keys: Type.Optional(
      Type.Array(ProviderKey, {
        minItems: 1,
        maxItems: 20,
        description: 'Public keys of the wallet provider. With them the wallet has to show an attestation',
      }),
    ),
  },
  closed,
)

/** A wallet that may ask for credentials in a browser. */
export type Wallet = Static<typeof Wallet>

const checkWallets = createChecker<Wallet[]>(Type.Array(Wallet, { maxItems: maxWallets }))

const loopbackHosts = new Set(['127.0.0.1', '[::1]', 'localhost'])
const dangerousSchemes = new Set([
  'javascript:',
  'data:',
  'vbscript:',
  'blob:',
  'file:',
  'about:',
  'ws:',
  'wss:',
  'ftp:',
])

/**
 * The wallets of a city's configuration: an array of `{client_id, name, redirect_uris, attestation_keys?}`. A redirect URI is
 * https, or goes to the own device: a private-use scheme or a loopback address (RFC 8252 section 7). Throws Problem
 * invalid-configuration.
 */
export function parseWallets(value: unknown): Wallet[] {
  try {
    const wallets = checkWallets(value)
    const ids = new Set<string>()
    for (const wallet of wallets) {
      if (ids.has(wallet.client_id)) throw misconfigured(`${wallet.client_id} is there twice`)
      ids.add(wallet.client_id)
      if (wallet.client_id.startsWith('did:')) throw misconfigured(`${wallet.client_id} is a machine, not a wallet`)
      for (const uri of wallet.redirect_uris) checkRedirectUri(uri)
      for (const key of wallet.attestation_keys ?? []) parsePublicJwk({ ...key })
    }
    return wallets
  } catch (cause) {
    if (!isProblem(cause) || cause.code === 'invalid-configuration') throw cause
    throw misconfigured(`${cause.message} (${cause.pointer ?? ''})`, cause)
  }
}

/** The origin, or for a private-use scheme the scheme, as a content security policy names it. */
export function formTargetOf(redirectUri: string): string {
  const { protocol, origin } = new URL(redirectUri)
  return isWeb(protocol) ? origin : protocol
}

/** RFC 7591: a native application is one that is reached by anything but https. */
export function isNative(wallet: Wallet): boolean {
  return wallet.redirect_uris.some((uri) => new URL(uri).protocol !== 'https:')
}

function checkRedirectUri(uri: string): void {
  const parsed = URL.parse(uri)
  if (!parsed || uri.includes('#')) throw misconfigured(`${uri} is no redirect URI`)
  const { protocol, hostname } = parsed
  if (protocol === 'http:' && !loopbackHosts.has(hostname))
    throw misconfigured(`${uri} is neither https nor on the own device`)
  if (dangerousSchemes.has(protocol)) throw misconfigured(`${uri} does not lead to a wallet`)
}

function isWeb(protocol: string): boolean {
  return protocol === 'https:' || protocol === 'http:'
}

function misconfigured(detail: string, cause?: unknown): Problem {
  return new Problem('invalid-configuration', { detail: `Wallets: ${detail}`, pointer: 'wallets', cause })
}
