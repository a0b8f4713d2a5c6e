import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import type { PublicKey } from './public-key.ts'

/** Sent together: a message to a thread costs as much as a tenth of a verification, and little more when it is longer. */
const sentTogether = 16
/** Fewer are not worth a thread of ours. */
const fewest = 4
const maxThreads = 4

const keyBytes = 32
const signatureBytes = 64

/** Several signatures as they travel, each as key, signature and message. */
interface Parcel {
  readonly messageLengths: readonly number[]
  readonly bytes: Uint8Array
}

interface Waiter {
  readonly key: PublicKey
  readonly message: Uint8Array
  readonly signature: Uint8Array
  readonly resolve: (verified: boolean) => void
  readonly reject: (error: unknown) => void
}

interface Thread {
  readonly worker: Worker
  /** What was sent and is not answered, in this order. */
  readonly sent: Waiter[][]
}

export type VerifyEd25519 = (key: PublicKey, message: Uint8Array, signature: Uint8Array) => Promise<boolean>

/**
 * Verifies Ed25519 signatures beside the event loop. Those that come within one turn travel to a thread together, which
 * takes half of what a job of libuv for each of them takes of the caller. `alone` verifies where there are only a few.
 */
export function verifyingBeside(alone: VerifyEd25519): VerifyEd25519 {
  const threads: Thread[] = []
  let waiting: Waiter[] = []

  return (key, message, signature) =>
    new Promise((resolve, reject) => {
      if (waiting.length === 0) setImmediate(sendRest)
      waiting.push({ key, message, signature, resolve, reject })
      if (waiting.length === sentTogether) send()
    })

  function sendRest(): void {
    if (waiting.length >= fewest) send()
    else verifyAlone()
  }

  function verifyAlone(): void {
    for (const { key, message, signature, resolve, reject } of waiting)
      alone(key, message, signature).then(resolve, reject)
    waiting = []
  }

  function send(): void {
    const thread = freestThread()
    thread.worker.ref()
    thread.sent.push(waiting)
    const { bytes, messageLengths } = pack(waiting)
    waiting = []
    thread.worker.postMessage({ bytes, messageLengths } satisfies Parcel, [bytes.buffer])
  }

  function freestThread(): Thread {
    const [freest] = threads.toSorted((a, b) => a.sent.length - b.sent.length)
    if (freest?.sent.length === 0) return freest
    const isRoom = threads.length < Math.min(maxThreads, availableParallelism())
    return freest === undefined || isRoom ? startThread() : freest
  }

  function startThread(): Thread {
    const worker = new Worker(`(${serve})()`, { eval: true, env: {}, execArgv: [] })
    const thread: Thread = { worker, sent: [] }
    worker.on('message', (verdicts: Uint8Array) => {
      const answered = thread.sent.shift() ?? []
      // A thread without work keeps no process alive.
      if (thread.sent.length === 0) worker.unref()
      answered.forEach(({ resolve }, index) => {
        resolve(verdicts[index] === 1)
      })
    })
    worker.on('error', (error) => {
      threads.splice(threads.indexOf(thread), 1)
      for (const { reject } of thread.sent.flat()) reject(error)
    })
    threads.push(thread)
    return thread
  }
}

function pack(waiters: readonly Waiter[]): { messageLengths: number[]; bytes: Uint8Array<ArrayBuffer> } {
  const messageLengths = waiters.map(({ message }) => message.length)
  const length = messageLengths.reduce((sum, message) => sum + message + keyBytes + signatureBytes, 0)
  const bytes = new Uint8Array(length)
  let at = 0
  for (const { key, signature, message } of waiters) {
    bytes.set(key.bytes, at)
    bytes.set(signature, at + keyBytes)
    bytes.set(message, at + keyBytes + signatureBytes)
    at += keyBytes + signatureBytes + message.length
  }
  return { messageLengths, bytes }
}

/** The program of a thread. It travels as its own text, so that it needs no file of its own in a bundle, and names nothing outside. */
function serve(): void {
  const { parentPort } = process.getBuiltinModule('node:worker_threads')
  const { createPublicKey, verify } = process.getBuiltinModule('node:crypto')
  const maxImported = 1000
  let imported = new Map<string, ReturnType<typeof createPublicKey>>()

  parentPort?.on('message', ({ messageLengths, bytes }: Parcel) => {
    const verdicts = new Uint8Array(messageLengths.length)
    let at = 0
    messageLengths.forEach((length, index) => {
      const key = importKey(bytes.subarray(at, at + 32))
      const signature = bytes.subarray(at + 32, at + 96)
      const message = bytes.subarray(at + 96, at + 96 + length)
      at += 96 + length
      verdicts[index] = verify(null, message, key, signature) ? 1 : 0
    })
    parentPort.postMessage(verdicts)
  })

  function importKey(bytes: Uint8Array) {
    const text = Buffer.from(bytes).toString('base64')
    const known = imported.get(text)
    if (known !== undefined) return known
    // What stands before the key is RFC 8410's prefix of an Ed25519 key in base64; as 12 bytes it ends where a group ends.
    const key = createPublicKey(`-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA${text}\n-----END PUBLIC KEY-----`)
    if (imported.size === maxImported) imported = new Map()
    imported.set(text, key)
    return key
  }
}
