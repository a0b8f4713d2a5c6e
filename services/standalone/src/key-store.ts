import { mkdirSync } from 'node:fs'
import { open, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { generatePrivateJwk, type PrivateJwk } from '@tillit/keys'

export interface KeyStore {
  /** The private key of that name, made on first use. */
  privateJwk(name: string, alg?: 'EdDSA' | 'ES256'): Promise<PrivateJwk>
  /** A secret text of that name, made by `create` on first use. */
  secret(name: string, create: () => string | Promise<string>): Promise<string>
  /** Puts another text in its place. */
  replace(name: string, text: string): Promise<void>
}

/** Keys as files that only the city's own user can read. A half-written file never takes the place of a key. */
export function openKeyStore(folder: string): KeyStore {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const secret = async (name: string, create: () => string | Promise<string>) => {
    const file = join(folder, name)
    try {
      return await readFile(file, 'utf8')
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
    }
    const value = await create()
    await writeDurably(file, value)
    return value
  }
  return {
    secret,
    replace: (name, text) => writeDurably(join(folder, name), text),
    privateJwk: async (name, alg = 'EdDSA') =>
      JSON.parse(
        await secret(`${name}.jwk.json`, async () => JSON.stringify(await generatePrivateJwk(alg))),
      ) as PrivateJwk,
  }
}

/** Written beside, flushed, then renamed: a crash leaves the old state or the new one. */
async function writeDurably(file: string, text: string): Promise<void> {
  const handle = await open(`${file}.partial`, 'w', 0o600)
  try {
    await handle.writeFile(text)
    await handle.sync()
  } finally {
    await handle.close()
  }
  await rename(`${file}.partial`, file)
}
