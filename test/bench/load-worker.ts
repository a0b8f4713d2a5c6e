import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { parentPort, workerData } from 'node:worker_threads'
import type { Answer, Round } from './load-client.ts'

const { connections } = workerData as { connections: number }

interface Received {
  head: string
  body: Buffer
  milliseconds: number
}

parentPort?.on('message', ({ port, requests }: { port: number; requests: string[] }) => {
  load(port, requests).then(
    (round) => parentPort?.postMessage(round),
    (error: unknown) => parentPort?.postMessage({ fault: String(error instanceof Error ? error.stack : error) }),
  )
})

async function load(port: number, requests: readonly string[]): Promise<Round & { answers: Answer[] }> {
  const sockets = await Promise.all(Array.from({ length: connections }, () => openSocket(port)))
  const received: Received[] = []
  let next = 0
  const begin = performance.now()
  await Promise.all(
    sockets.map(async (socket) => {
      for (let i = next++; i < requests.length; i = next++) received[i] = await ask(socket, requests[i] ?? '')
    }),
  )
  const milliseconds = performance.now() - begin
  for (const socket of sockets) socket.destroy()
  return {
    perSecond: requests.length / (milliseconds / 1000),
    latenciesMilliseconds: received.map((answer) => answer.milliseconds),
    answers: received.map(({ head, body }) => ({ status: statusOf(head), body: body.toString() })),
  }
}

function statusOf(head: string): number {
  return Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1])
}

async function openSocket(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  await once(socket, 'connect')
  return socket
}

function ask(socket: Socket, text: string): Promise<Received> {
  const begin = performance.now()
  return new Promise((resolve, reject) => {
    let received: Buffer = Buffer.alloc(0)
    const settle = (outcome: Received | Error) => {
      socket.off('data', take).off('error', settle).off('close', gone)
      if (outcome instanceof Error) reject(outcome)
      else resolve(outcome)
    }
    const gone = () => settle(new Error('the connection was closed before the answer was whole'))
    const take = (chunk: Buffer) => {
      received = received.length === 0 ? chunk : Buffer.concat([received, chunk])
      const end = received.indexOf('\r\n\r\n')
      if (end < 0) return
      const head = received.toString('latin1', 0, end)
      const length = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1])
      if (received.length >= end + 4 + length)
        settle({ head, body: received.subarray(end + 4), milliseconds: performance.now() - begin })
      else if (Number.isNaN(length)) settle(new Error('the answer does not tell its length'))
    }
    socket.on('data', take).on('error', settle).on('close', gone)
    socket.write(text)
  })
}
