import { diskFiles, type StateFiles } from '@tillit/witness'
import type { Fate } from './postgres-between.ts'

/** The steps of storing a record, in their order. */
export const fileSteps = ['writeFlushed', 'rename', 'flushFolder'] as const
export type FileStep = (typeof fileSteps)[number]

/** A disk whose next step of one kind meets a fate; from then on it does nothing more, as for a process that has died. */
export interface BreakingFiles extends StateFiles {
  breakAt(step: FileStep, fate: Fate): Promise<void>
  restore(): void
}

export function createBreakingFiles(): BreakingFiles {
  let armed: { step: FileStep; fate: Fate; done: () => void } | null = null
  let dead = false

  const step = <Args extends unknown[]>(name: FileStep, work: (...args: Args) => Promise<void>) => {
    return async (...args: Args): Promise<void> => {
      requireAlive()
      const met = armed?.step === name ? armed : null
      if (met !== null) armed = null
      if (met?.fate !== 'failed') await work(...args)
      if (met === null) return
      dead = true
      met.done()
      requireAlive()
    }
  }
  function requireAlive(): void {
    if (dead) throw new Error('the process of the witness is gone')
  }
  return {
    ...diskFiles,
    async read(file) {
      requireAlive()
      return diskFiles.read(file)
    },
    writeFlushed: step('writeFlushed', diskFiles.writeFlushed),
    rename: step('rename', diskFiles.rename),
    flushFolder: step('flushFolder', diskFiles.flushFolder),
    breakAt: (name, fate) =>
      new Promise((done) => {
        armed = { step: name, fate, done }
      }),
    restore() {
      dead = false
    },
  }
}
