import { open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'

/** What a write that was cut off leaves; it is never read. */
export const partialSuffix = '.partial'

/** Written beside, flushed, then renamed: a crash leaves the old state or the new one. Only the owner may read it. */
export async function writeDurably(file: string, text: string): Promise<void> {
  const partial = file + partialSuffix
  const handle = await open(partial, 'w', 0o600)
  try {
    // One that was left by a crash keeps the mode it had.
    await handle.chmod(0o600)
    await handle.writeFile(text)
    await handle.sync()
  } finally {
    await handle.close()
  }
  await rename(partial, file)
  await syncFolder(dirname(file))
}

/** Removed for good: after a crash it does not come back. */
export async function removeDurably(file: string): Promise<void> {
  await rm(file, { force: true })
  await syncFolder(dirname(file))
}

/** A rename or a removal lasts once its folder is flushed. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
