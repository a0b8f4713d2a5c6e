import { once } from 'node:events'
import { Worker } from 'node:worker_threads'

export interface PreparedRequest {
  /** The request exactly as sent. */
  text: string
  /** What the values of the answer have to come to. */
  sum: number
}

export interface Round {
  perSecond: number
  latenciesMilliseconds: number[]
}

export interface LoadClient {
  /** Sends all requests over a few connections, each the next one as soon as it is free. Throws when an answer was not as expected. */
  run(port: number, requests: PreparedRequest[]): Promise<Round>
  close(): Promise<void>
}

/** A client in a thread of its own. It shares the machine's cores with what it measures, and every contender pays that alike. */
export function openLoadClient(options: { connections: number; values: number }): LoadClient {
  const worker = new Worker(new URL('./load-worker.ts', import.meta.url), { workerData: options })
  return {
    run: async (port, requests) => {
      worker.postMessage({ port, requests })
      const [answer] = (await once(worker, 'message')) as [{ fault: string } | Round]
      if ('fault' in answer) throw new Error(answer.fault)
      return answer
    },
    close: async () => void (await worker.terminate()),
  }
}
