import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'

export type Answer = (request: { body: string; url: string }, response: ServerResponse) => void

/** Someone who answers as a witness over HTTP, in whatever way they are told to. */
export interface LyingWitness {
  readonly url: string
  /** How often it was asked. */
  readonly asked: number
  answer: Answer
  close(): void
}

export async function serveLies(): Promise<LyingWitness> {
  let asked = 0
  const lying = { answer: ((_, response) => void response.end()) as Answer }
  const server = createServer((request, response) => {
    asked++
    void textOf(request).then((body) => lying.answer({ body, url: request.url ?? '' }, response))
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port was given')
  return {
    url: `http://127.0.0.1:${address.port}/`,
    get asked() {
      return asked
    },
    get answer() {
      return lying.answer
    },
    set answer(answer) {
      lying.answer = answer
    },
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of request) text += chunk
  return text
}
