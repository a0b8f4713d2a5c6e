import { once } from 'node:events'
import { Worker } from 'node:worker_threads'

export interface Answer {
  status: number
  body: string
}

export interface Round {
  perSecond: number
  latenciesMilliseconds: number[]
}

export interface LoadClient {
  /**
   * Sends the requests, each the exact text of one, over a few connections, each the next one as soon as it is free. The answers are
   * handed over after the measured interval, in the order of the requests, so that checking them costs nobody anything.
   */
  run(port: number, requests: readonly string[]): Promise<Round & { answers: Answer[] }>
  close(): Promise<void>
}

/** A client in a thread of its own. It shares the machine's cores with what it measures, and every contender pays that alike. */
export function openLoadClient(options: { connections: number }): LoadClient {
  const worker = new Worker(new URL('./load-worker.ts', import.meta.url), { workerData: options })
  return {
    run: async (port, requests) => {
      worker.postMessage({ port, requests })
      const [answer] = (await once(worker, 'message')) as [{ fault: string } | (Round & { answers: Answer[] })]
      if ('fault' in answer) throw new Error(answer.fault)
      return answer
    },
    close: async () => void (await worker.terminate()),
  }
}
