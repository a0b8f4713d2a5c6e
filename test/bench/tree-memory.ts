import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

export interface TreeMemory {
  /** What the process holds more than before, after garbage collection. */
  readonly bytes: number
}

/** Weighs a tree in a process of its own, which collects its garbage before and after. */
export async function measureTreeMemory(leaves: number): Promise<TreeMemory> {
  const script = fileURLToPath(new URL('./weigh-tree.ts', import.meta.url))
  const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', script, String(leaves)])
  return JSON.parse(stdout) as TreeMemory
}
