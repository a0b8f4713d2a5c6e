import { mkdirSync } from 'node:fs'
import { open, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { generatePrivateJwk, type PrivateJwk } from '@tillit/keys'
import { Problem } from '@tillit/problem'

export interface KeyStore {
  /** The private key of that name, made on first use. */
  privateJwk(name: string, alg?: 'EdDSA' | 'ES256'): Promise<PrivateJwk>
  /** A secret text of that name, made by `create` on first use. */
  secret(name: string, create: () => string | Promise<string>): Promise<string>
  /** The secret text of that name, or null when there is none. */
  find(name: string): Promise<string | null>
  /** Puts another text in its place. */
  replace(name: string, text: string): Promise<void>
}

/** Keys as files that only the city's own user can read. A half-written file never takes the place of a key. */
export function openKeyStore(folder: string): KeyStore {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const find = async (name: string) => {
    try {
      return await readFile(join(folder, name), 'utf8')
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
      throw error
    }
  }
  const secret = async (name: string, create: () => string | Promise<string>) => {
    const kept = await find(name)
    if (kept !== null) return kept
    const value = await create()
    await writeDurably(join(folder, name), value)
    return value
  }
  return {
    find,
    secret,
    replace: (name, text) => writeDurably(join(folder, name), text),
    privateJwk: async (name, alg = 'EdDSA') => {
      const file = `${name}.jwk.json`
      return parseKey(file, await secret(file, async () => JSON.stringify(await generatePrivateJwk(alg))))
    },
  }
}

/** The cause is left out: it quotes the text. */
function parseKey(file: string, text: string): PrivateJwk {
  try {
    return JSON.parse(text) as PrivateJwk
  } catch {
    throw new Problem('invalid-configuration', { detail: `The key file ${file} is damaged; put back the one it was` })
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
