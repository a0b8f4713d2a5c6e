import type { WriteStream } from 'node:tty'

const width = 30
/** How often a bar is drawn at most: terminals are slower than what is counted. */
const steps = 1000

export interface Progress {
  /** `done` of `total` in any unit; `note` stands behind the bar. */
  update(done: number, total: number, note: string): void
  end(): void
}

/** A bar on a terminal; a line for each tenth elsewhere, so that logs stay short. */
export function showProgress(stream: Pick<WriteStream, 'isTTY' | 'write'>): Progress {
  let lastTenth = -1
  let lastStep = -1
  return {
    update(done, total, note) {
      const share = total === 0 ? 1 : Math.min(1, done / total)
      const percent = `${Math.floor(share * 100)} %`.padStart(5)
      if (stream.isTTY) {
        const step = Math.floor(share * steps)
        if (step === lastStep) return
        lastStep = step
        const full = Math.round(share * width)
        stream.write(`\r${'█'.repeat(full)}${'░'.repeat(width - full)} ${percent}  ${note}\x1b[K`)
        return
      }
      const tenth = Math.floor(share * 10)
      if (tenth === lastTenth) return
      lastTenth = tenth
      stream.write(`${percent}  ${note}\n`)
    },
    end() {
      if (stream.isTTY) stream.write('\n')
    },
  }
}
