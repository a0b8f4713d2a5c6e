import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises'

/** What a witness's state asks of a file system; an argument, so that each step can be made to fail. */
export interface StateFiles {
  makeFolder(folder: string): Promise<void>
  list(folder: string): Promise<string[]>
  /** Null when there is no such file. */
  read(file: string): Promise<string | null>
  /** Writes a file anew and flushes its content to the disk. */
  writeFlushed(file: string, text: string): Promise<void>
  rename(from: string, to: string): Promise<void>
  /** Flushes the names in a folder to the disk: a rename before it may be lost with the power, one after it not. */
  flushFolder(folder: string): Promise<void>
  remove(file: string): Promise<void>
}

export const diskFiles: StateFiles = {
  async makeFolder(folder) {
    await mkdir(folder, { recursive: true, mode: 0o700 })
  },
  list: (folder) => readdir(folder),
  async read(file) {
    try {
      return await readFile(file, 'utf8')
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
      throw error
    }
  },
  async writeFlushed(file, text) {
    const handle = await open(file, 'w', 0o600)
    try {
      await handle.writeFile(text)
      await handle.sync()
    } finally {
      await handle.close()
    }
  },
  rename: (from, to) => rename(from, to),
  async flushFolder(folder) {
    const handle = await open(folder, 'r')
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
  },
  remove: (file) => rm(file, { force: true }),
}
