import { readFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { signKeyCompromise } from '@tillit/client'
import { parseMultikey, parsePublicJwk, signerFromJwk, thumbprint } from '@tillit/keys'
import type { CompromisedKeyRecord } from '@tillit/schemas'
import { cityAt } from '../city-at.ts'
import { readIdentity } from '../identity.ts'
import { onlyArgument, UsageError } from '../usage-error.ts'

export const reportUsage = `tillit credentials key-compromised KEY [--did DID] [--identity FILE] [--city URL]
  Reports that a key may be in other hands. From then on nothing that it signed is believed, whenever
  it says that it was signed; no one can take that back. First rotate the key (tillit did rotate).
  KEY         the key: a DID URL that ends in it (did:…#z6Mk…), its multikey, its JWK thumbprint, or
              a file with its public JWK
  --did       whose key it is, when the registrar reports it; otherwise that of the identity
  --identity  file with the DID and a key that it has now; without it that of the demonstration
  --city      the city's URL; without it that of the identity`

export async function reportKey(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { did: { type: 'string' }, identity: { type: 'string' }, city: { type: 'string' } },
  })
  const key = onlyArgument(positionals, { name: 'KEY', usage: reportUsage })
  const identity = await readIdentity(values.identity, 'utility')
  const signer = await signerFromJwk(identity.private_jwk)
  const [urlDid] = key.startsWith('did:') ? key.split('#') : []
  const about = { did: values.did ?? urlDid ?? identity.did, jkt: await thumbprintOf(key) }
  const by = { did: identity.did, keyId: identity.key_id, signer, now: new Date() }
  const statement = await signKeyCompromise(about, by)
  const city = cityAt(values.city ?? identity.city)
  const { did, jkt, at } = await city.post<CompromisedKeyRecord>('/trust/compromised-keys', { statement })
  console.log(`Key ${jkt} of ${did} is reported as compromised (${at}). Nothing that it signed is believed any more.`)
  return 0
}

async function thumbprintOf(key: string): Promise<string> {
  const [, fragment = key] = key.split('#')
  if (/^z[1-9A-HJ-NP-Za-km-z]+$/.test(fragment) && fragment.length !== 43) return thumbprint(parseMultikey(fragment))
  if (/^[A-Za-z0-9_-]{43}$/.test(fragment)) return fragment
  try {
    return thumbprint(parsePublicJwk(JSON.parse(await readFile(key, 'utf8'))))
  } catch (cause) {
    throw new UsageError(`${key} is neither a key nor a file with one.`, { cause })
  }
}
