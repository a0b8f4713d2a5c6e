import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { formatCosignerKey } from '@tillit/log'
import { isProblem } from '@tillit/problem'
import type { Witness, WitnessReply } from './witness.ts'
import { originHash } from './witness-record.ts'

/** A proof of 63 lines, and a checkpoint with 16 signatures of up to 5 kB (C2SP signed-note, format). */
const maxBodyBytes = 128_000
const maxHeaderBytes = 8_192
const maxConnections = 256
const headersTimeoutMilliseconds = 10_000
const requestTimeoutMilliseconds = 15_000
/** Logs ask once a second or so; their connections should stay (C2SP tlog-witness, add-checkpoint). */
const keepAliveMilliseconds = 60_000
const stopMilliseconds = 5_000

export interface ServedWitness {
  readonly url: string
  /** Lets requests under way end, 5 s at most. */
  close(): Promise<void>
}

export interface ServeOptions {
  readonly host: string
  /** 0: any that is free. */
  readonly port: number
  /** Hears of failures that the operator should look into. */
  readonly report?: (error: unknown) => void
}

/**
 * Serves a witness: `POST /add-checkpoint` (C2SP tlog-witness), and for monitors `GET /` (who it is, which logs) and
 * `GET /checkpoints/<hex SHA-256 of an origin>` (the checkpoint cosigned last); `GET /health` says that it can read its state.
 */
export async function serveWitness(witness: Witness, options: ServeOptions): Promise<ServedWitness> {
  const server = createServer(
    {
      maxHeaderSize: maxHeaderBytes,
      headersTimeout: headersTimeoutMilliseconds,
      requestTimeout: requestTimeoutMilliseconds,
      keepAliveTimeout: keepAliveMilliseconds,
      connectionsCheckingInterval: headersTimeoutMilliseconds / 2,
    },
    (request, response) => {
      answer(witness, request, response).catch((error: unknown) => {
        // A client that left while it sent its body is no failure of ours, and there is nobody to tell.
        if (response.destroyed || request.readableAborted) return
        options.report?.(error)
        if (response.headersSent) response.destroy()
        else send(response, text(500, 'The witness failed'))
      })
    },
  )
  server.maxConnections = maxConnections
  await listen(server, options)
  const { address, port, family } = server.address() as AddressInfo
  return { url: `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`, close: () => close(server) }
}

async function answer(witness: Witness, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = (request.url ?? '').split('?', 1)[0] ?? ''
  const posting = path === '/add-checkpoint'
  const allowed = posting ? ['POST'] : ['GET', 'HEAD']
  if (!allowed.includes(request.method ?? '')) {
    response.setHeader('allow', allowed.join(', '))
    send(response, text(405, 'This method is not taken here'))
    return
  }
  send(response, posting ? await addCheckpoint(witness, request, response) : await read(witness, path))
}

async function addCheckpoint(
  witness: Witness,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<WitnessReply> {
  const body = await readBody(request)
  if (body === null) {
    // What is left of the body is not read, so the connection cannot be used again.
    response.setHeader('connection', 'close')
    return text(413, `A request is at most ${maxBodyBytes} bytes`)
  }
  try {
    return await witness.addCheckpoint(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body))
  } catch (error) {
    if (error instanceof TypeError) return text(400, 'The body is not UTF-8')
    throw error
  }
}

async function read(witness: Witness, path: string): Promise<WitnessReply> {
  try {
    if (path === '/') return await describe(witness)
    if (path === '/health') {
      await Promise.all(witness.origins.map((origin) => witness.latest(origin)))
      return text(200, 'ok')
    }
    const origin = witness.origins.find((name) => path === `/checkpoints/${originHash(name)}`)
    const record = origin === undefined ? null : await witness.latest(origin)
    return record === null
      ? text(404, 'There is nothing here')
      : { status: 200, contentType: 'text/plain; charset=utf-8', body: record.note }
  } catch (error) {
    if (isProblem(error, 'witness-state-damaged')) return text(503, 'The state of the witness cannot be read')
    throw error
  }
}

async function describe(witness: Witness): Promise<WitnessReply> {
  const logs = await Promise.all(
    witness.origins.map(async (origin) => {
      const record = await witness.latest(origin)
      return {
        origin,
        checkpoint: `/checkpoints/${originHash(origin)}`,
        size: record?.checkpoint.size ?? null,
        cosigned_at: record === null ? null : new Date(record.timestampSeconds * 1000).toISOString(),
      }
    }),
  )
  const keys = witness.keys.map(formatCosignerKey)
  return {
    status: 200,
    contentType: 'application/json',
    body: `${JSON.stringify({ name: witness.name, keys, logs })}\n`,
  }
}

/** Null when it is too long. */
async function readBody(request: IncomingMessage): Promise<Uint8Array | null> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of request as AsyncIterable<Uint8Array>) {
    bytes += chunk.length
    if (bytes > maxBodyBytes) return null
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function send(response: ServerResponse, { status, contentType, body }: WitnessReply): void {
  response.writeHead(status, {
    'content-type': contentType,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  })
  response.end(response.req.method === 'HEAD' ? undefined : body)
}

function text(status: number, words: string): WitnessReply {
  return { status, contentType: 'text/plain; charset=utf-8', body: `${words}\n` }
}

function listen(server: Server, { host, port }: { host: string; port: number }): Promise<void> {
  return new Promise((done, fail) => {
    server.once('error', fail)
    server.listen({ host, port }, () => {
      server.off('error', fail)
      done()
    })
  })
}

function close(server: Server): Promise<void> {
  return new Promise((done) => {
    const cut = setTimeout(() => server.closeAllConnections(), stopMilliseconds)
    server.close(() => {
      clearTimeout(cut)
      done()
    })
    server.closeIdleConnections()
  })
}
