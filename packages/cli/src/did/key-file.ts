import { type FileHandle, open, readFile, rename } from 'node:fs/promises'
import type { DidState } from '@tillit/client'
import { nextKeyHash } from '@tillit/client'
import { generatePrivateJwk, type PrivateJwk, type Signer, signerFromJwk, toMultikey } from '@tillit/keys'
import { UsageError } from '../usage-error.ts'

/**
 * The keys of a DID, the newest last; whoever has the file is its controller. Which of them signs is told by the log, so that
 * a command that was cut off can be run again. `did`, `key_id` and `private_jwk` are those of the newest entry: the file is
 * an identity file too (`--identity`).
 */
export interface DidKeyFile {
  readonly name: string
  readonly city: string
  readonly did: string
  readonly key_id: string
  readonly private_jwk: PrivateJwk
  readonly listed: boolean
  readonly keys: readonly PrivateJwk[]
}

export async function readKeyFile(path: string): Promise<DidKeyFile> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as DidKeyFile
  } catch (cause) {
    throw new UsageError(`${path} cannot be read as the keys of a DID. Name the file with --key FILE.`, { cause })
  }
}

/** Replaces the file whole; a crash leaves the one before. Nobody but its owner may read it. */
export async function writePrivately(path: string, text: string): Promise<void> {
  const fresh = `${path}.new`
  let file: FileHandle | undefined
  try {
    file = await open(fresh, 'w', 0o600)
    // The mode above counts only for a file that is made; one that a crash left behind keeps its own.
    await file.chmod(0o600)
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file?.close()
  }
  await rename(fresh, path)
}

export function keyFileText(file: DidKeyFile): string {
  return `${JSON.stringify(file, null, 2)}\n`
}

export async function newKey(): Promise<{ jwk: PrivateJwk; signer: Signer }> {
  const jwk = await generatePrivateJwk()
  return { jwk, signer: await signerFromJwk(jwk) }
}

/** The key that may sign the entry after the state: one that was committed to under pre-rotation, else an update key. */
export async function signerFor(state: DidState, file: DidKeyFile): Promise<{ jwk: PrivateJwk; signer: Signer }> {
  for (const jwk of [...file.keys].reverse()) {
    const signer = await signerFromJwk(jwk)
    const may =
      state.nextKeyHashes.length > 0
        ? state.nextKeyHashes.includes(nextKeyHash(signer.publicKey))
        : state.updateKeys.includes(toMultikey(signer.publicKey))
    if (may) return { jwk, signer }
  }
  throw new UsageError('None of the keys in the file may sign the next entry of this log.')
}
