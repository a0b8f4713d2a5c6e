import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { parentPort, workerData } from 'node:worker_threads'
import type { PreparedRequest, Round } from './load-client.ts'

const { connections, values } = workerData as { connections: number; values: number }

interface Answer {
  head: string
  body: Buffer
  milliseconds: number
}

parentPort?.on('message', ({ port, requests }: { port: number; requests: PreparedRequest[] }) => {
  load(port, requests).then(
    (round) => parentPort?.postMessage(round),
    (error: unknown) => parentPort?.postMessage({ fault: String(error instanceof Error ? error.stack : error) }),
  )
})

async function load(port: number, requests: PreparedRequest[]): Promise<Round> {
  const sockets = await Promise.all(Array.from({ length: connections }, () => openSocket(port)))
  const answers: Answer[] = []
  let next = 0
  const begin = performance.now()
  await Promise.all(
    sockets.map(async (socket) => {
      for (let i = next++; i < requests.length; i = next++) answers[i] = await ask(socket, requests[i]?.text ?? '')
    }),
  )
  const milliseconds = performance.now() - begin
  for (const socket of sockets) socket.destroy()
  // After the measured interval, so that checking costs nobody anything.
  for (const [i, { sum }] of requests.entries()) check(answers[i], sum)
  return {
    perSecond: requests.length / (milliseconds / 1000),
    latenciesMilliseconds: answers.map((answer) => answer.milliseconds),
  }
}

async function openSocket(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  await once(socket, 'connect')
  return socket
}

function ask(socket: Socket, text: string): Promise<Answer> {
  const begin = performance.now()
  return new Promise((resolve, reject) => {
    let received: Buffer = Buffer.alloc(0)
    const settle = (outcome: Answer | Error) => {
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

function check(answer: Answer | undefined, sum: number): void {
  if (!answer?.head.startsWith('HTTP/1.1 200')) throw new Error(`refused: ${answer?.head} ${answer?.body}`)
  const { readings } = JSON.parse(answer.body.toString()) as { readings: { value: number }[] }
  const total = readings.reduce((before, { value }) => before + value, 0)
  if (readings.length !== values || total !== sum)
    throw new Error(`${readings.length} values of ${total} came where ${values} of ${sum} were expected`)
}
