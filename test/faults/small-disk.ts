import { execFile } from 'node:child_process'
import { chmod, mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const chunkBytes = 256 * 1024

export interface SmallDisk {
  readonly folder: string
  /** Writes until nothing more fits. */
  fill(): Promise<void>
  /** Takes that away again. */
  free(): Promise<void>
  resize(megabytes: number): Promise<void>
  remove(): Promise<void>
}

/** A file system in memory of so many megabytes; or why there can be none here. */
export async function mountSmallDisk(megabytes: number): Promise<SmallDisk | { impossible: string }> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0)
    return { impossible: 'mounting a small file system needs root on Linux' }
  const folder = await mkdtemp(join(tmpdir(), 'tillit-disk-'))
  await chmod(folder, 0o755)
  try {
    await run('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m,mode=755`, 'tmpfs', folder])
  } catch (error) {
    await rm(folder, { recursive: true })
    return { impossible: `a file system cannot be mounted here: ${error instanceof Error ? error.message : error}` }
  }
  const filler = join(folder, 'filler')
  return {
    folder,
    fill: () => fill(filler),
    free: () => rm(filler),
    resize: async (to) => void (await run('mount', ['-o', `remount,size=${to}m`, folder])),
    async remove() {
      await run('umount', ['--lazy', folder])
      await rm(folder, { recursive: true })
    },
  }
}

async function fill(file: string): Promise<void> {
  const handle = await open(file, 'a')
  try {
    // Smaller and smaller pieces, down to the last page.
    for (let bytes = chunkBytes; bytes >= 4096; bytes /= 2) {
      const chunk = new Uint8Array(bytes)
      while ((await handle.write(chunk).catch(whenFull)) !== null);
    }
  } finally {
    await handle.close()
  }
}

function whenFull(error: unknown): null {
  if (error instanceof Error && 'code' in error && error.code === 'ENOSPC') return null
  throw error
}
