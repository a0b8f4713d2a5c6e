import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { DidLogEntry } from '@tillit/schemas'

export interface NewDid {
  readonly did: string
  readonly entry: DidLogEntry
}

export interface DidMaker {
  /** First entries of DIDs of this city, each with a key of its own, signed before anything is measured. */
  make(count: number): Promise<NewDid[]>
  close(): Promise<void>
}

/** Makes DIDs in a thread of its own, which shares no memory of keys with what is measured: the city sees each for the first time. */
export function openDidMaker(): DidMaker {
  const worker = new Worker(new URL('./did-worker.ts', import.meta.url))
  return {
    make: async (count) => {
      worker.postMessage(count)
      const [dids] = (await once(worker, 'message')) as [NewDid[]]
      return dids
    },
    close: async () => void (await worker.terminate()),
  }
}
