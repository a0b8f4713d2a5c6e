import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const bin = fileURLToPath(new URL('../bin/tillit.mjs', import.meta.url))

/** `tillit witness` as its operator has it: a process seen from outside only. */
export interface WitnessProcess {
  readonly url: string
  readonly stderr: () => string
  kill(signal: NodeJS.Signals): Promise<{ code: number | null; signal: NodeJS.Signals | null }>
}

/** Starts it on a free port and waits until it listens. Fails with what it said when it ends instead. */
export async function startWitness(...args: string[]): Promise<WitnessProcess> {
  const child = spawn(process.execPath, [bin, 'witness', '--port', '0', ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  // Asked for at the start: an exit that comes before anybody waits for it is not lost.
  const ended = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>
  let stderr = ''
  child.stderr.on('data', (data) => {
    stderr += data
  })
  const url = await listening(child, () => stderr)
  return {
    url,
    stderr: () => stderr,
    async kill(signal) {
      child.kill(signal)
      const [code, by] = await ended
      return { code, signal: by }
    },
  }
}

function listening(child: ChildProcess, stderr: () => string): Promise<string> {
  return new Promise((resolve, reject) => {
    let stdout = ''
    child.stdout?.on('data', (data) => {
      stdout += data
      const [, url] = /listens on (\S+) for/.exec(stdout) ?? []
      if (url !== undefined) resolve(url)
    })
    child.once('exit', (code) => reject(new Error(`the witness ended with ${code}: ${stderr()}`)))
  })
}
