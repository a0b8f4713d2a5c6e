import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { City } from '@tillit/client'
import { type PrivateJwk, signerFromJwk } from '@tillit/keys'
import { cityAt } from './city-at.ts'
import { UsageError } from './usage-error.ts'

/** An identity as a file: who the caller is, where the city is, and the key that proves it. Keep it secret. */
export interface IdentityFile {
  name: string
  city: string
  did: string
  key_id: string
  private_jwk: PrivateJwk
}

/** Connects as the identity of `--identity FILE`, or as one of the demonstration's (`.data/demo/NAME.json`). */
export async function connectAs(
  options: { identity?: string | undefined; city?: string | undefined },
  demonstration: string,
): Promise<City> {
  const identity = await readIdentity(options.identity, demonstration)
  const signer = await signerFromJwk(identity.private_jwk)
  return cityAt(options.city ?? identity.city, { did: identity.did, keyId: identity.key_id, signer })
}

export async function readIdentity(file: string | undefined, demonstration: string): Promise<IdentityFile> {
  const path = file ?? join(process.env.DATA_DIR ?? '.data', 'demo', `${demonstration}.json`)
  try {
    return JSON.parse(await readFile(path, 'utf8')) as IdentityFile
  } catch (cause) {
    throw new UsageError(
      `${path} cannot be read as an identity. Name one with --identity FILE, or run this where "npm start" has made the demonstration city.`,
      { cause },
    )
  }
}
