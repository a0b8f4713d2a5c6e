import { readdirSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'

export interface Process {
  pid: number
  /** Last part of the program's path. */
  program: string
  command: string
}

/** Everything that runs on a data folder: named in the command line, or told by DATA_DIR. Reads /proc, so Linux only. */
export function processesOf(dataDir: string): Process[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => Number.isInteger(pid) && pid !== process.pid)
    .flatMap((pid) => {
      const command = read(`/proc/${pid}/cmdline`)
      const told = read(`/proc/${pid}/environ`).split('\0').includes(`DATA_DIR=${dataDir}`)
      if (!told && !command.includes(dataDir)) return []
      return [{ pid, program: basename(command.split('\0')[0] ?? ''), command: command.replaceAll('\0', ' ').trim() }]
    })
}

/** Nothing for a process that is gone, or has ended and is not waited for yet. */
function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
