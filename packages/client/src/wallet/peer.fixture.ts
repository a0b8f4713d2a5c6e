import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface PeerRequest {
  method: string
  path: string
  headers: IncomingHttpHeaders
  body: string
}

export interface PeerAnswer {
  status?: number
  headers?: Record<string, string>
  /** Text as it is; anything else as JSON. */
  body?: unknown
}

/** Somebody whom a wallet talks to, over HTTP, who says what the test wants said. */
export interface Peer {
  url: string
  seen: PeerRequest[]
  on(method: string, path: string, answer: (request: PeerRequest) => PeerAnswer | Promise<PeerAnswer>): void
  stop(): Promise<void>
}

export async function startPeer(): Promise<Peer> {
  const routes = new Map<string, (request: PeerRequest) => PeerAnswer | Promise<PeerAnswer>>()
  const seen: PeerRequest[] = []
  const server = createServer(async (incoming, reply) => {
    const chunks: Buffer[] = []
    for await (const chunk of incoming) chunks.push(chunk)
    const { method = '', url: path = '', headers } = incoming
    const request = { method, path, headers, body: Buffer.concat(chunks).toString() }
    seen.push(request)
    const route = routes.get(`${method} ${path}`)
    const answer = route === undefined ? { status: 404, body: { error: 'not_found' } } : await route(request)
    const { status = 200, headers: own = {}, body = '' } = answer
    reply.writeHead(status, { 'content-type': 'application/json', ...own })
    reply.end(typeof body === 'string' ? body : JSON.stringify(body))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    on: (method, path, answer) => void routes.set(`${method} ${path}`, answer),
    async stop() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
