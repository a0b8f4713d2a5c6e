import { randomBytes } from 'node:crypto'
import { mkdir, open, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { fromHex, toHex } from '@tillit/codec'
import { type MlDsa44Signer, mlDsa44SignerFromSeed, privateJwkFromSeed, type Signer, signerFromJwk } from '@tillit/keys'
import { UsageError } from './usage-error.ts'

const seedBytes = 32
const fileName = 'keys.json'

/** A witness's name and its keys: Ed25519 for all who verify today, ML-DSA-44 for when that will not be enough. */
export interface WitnessKeys {
  readonly name: string
  readonly signers: readonly [Signer, MlDsa44Signer]
}

/** Makes the keys of a witness in its folder, readable by its user only. Refuses to replace keys that are there. */
export async function makeWitnessKeys(folder: string, name: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const file = join(folder, fileName)
  const handle = await open(file, 'wx', 0o600).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== 'EEXIST') throw cause
    throw new UsageError(`${file} is there already. A witness keeps its keys: a new one needs a folder of its own.`)
  })
  try {
    const [ed25519, mlDsa44] = [randomBytes(seedBytes), randomBytes(seedBytes)].map(toHex)
    await handle.writeFile(`${JSON.stringify({ name, ed25519_seed: ed25519, ml_dsa_44_seed: mlDsa44 }, null, 2)}\n`)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Reads what `makeWitnessKeys` made. Refuses a file that others than its user may read. */
export async function readWitnessKeys(folder: string): Promise<WitnessKeys> {
  const file = join(folder, fileName)
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new UsageError(`${file} cannot be read. Make the keys of a witness first: tillit witness init --name NAME`, {
      cause,
    })
  })
  const { mode } = await stat(file)
  if ((mode & 0o077) !== 0) throw new UsageError(`${file} can be read by others. Make it private: chmod 600 ${file}`)
  const { name, ed25519, mlDsa44 } = parseKeys(text, file)
  const signers = [
    await signerFromJwk(await privateJwkFromSeed(ed25519)),
    await mlDsa44SignerFromSeed(mlDsa44),
  ] as const
  return { name, signers }
}

/** The cause is left out: it could quote a secret. */
function parseKeys(text: string, file: string): { name: string; ed25519: Uint8Array; mlDsa44: Uint8Array } {
  try {
    const { name, ed25519_seed, ml_dsa_44_seed } = JSON.parse(text) as Record<string, unknown>
    const [ed25519, mlDsa44] = [ed25519_seed, ml_dsa_44_seed].map((seed) => fromHex(String(seed)))
    if (typeof name === 'string' && ed25519?.length === seedBytes && mlDsa44?.length === seedBytes)
      return { name, ed25519, mlDsa44 }
  } catch {
    // Said below, for whatever it was.
  }
  throw new UsageError(`${file} is damaged; put back the one it was`)
}
