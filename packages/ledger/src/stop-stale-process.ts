import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'

/** How long a process that was told to end may take before it is killed. */
const graceMs = 3000

/**
 * Ends a process that an earlier run left behind, known by its pid file. A pid can belong to somebody else by now, so
 * its command line must hold `mark`. A crash here leaves the pid file, and the next start tries again.
 */
export async function stopStaleProcess(pidFile: string, mark: string): Promise<void> {
  if (!existsSync(pidFile)) return
  const pid = Number(readFileSync(pidFile, 'utf8').trim())
  if (Number.isSafeInteger(pid) && pid > 1) {
    const deadline = performance.now() + graceMs
    for (let signal: NodeJS.Signals = 'SIGTERM'; commandOf(pid).includes(mark); ) {
      send(pid, signal)
      await delay(50)
      if (performance.now() > deadline) signal = 'SIGKILL'
    }
  }
  rmSync(pidFile, { force: true })
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    // Gone between the look and the signal, which is what we want.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
  }
}

/** The command line of a process, or nothing when it does not run. `ps` is asked only where there is no /proc. */
function commandOf(pid: number): string {
  try {
    if (existsSync('/proc/self/cmdline')) return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
    return execFileSync('ps', ['-o', 'args=', '-p', String(pid)], { encoding: 'utf8' })
  } catch {
    return ''
  }
}
