import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'

interface Call {
  readonly id: number
  readonly method: string
  readonly params: readonly unknown[]
}

interface Reply {
  readonly result?: unknown
  readonly error?: { readonly message: string }
}

/** A node between the registry and the chain, which passes everything on unless it is told otherwise. */
export interface LedgerBetween {
  readonly url: string
  /** Refused before the chain hears of the call, or carried out without an answer. */
  fate: (method: string) => 'pass' | 'refuse' | 'lose answer'
  /** The block that the node takes for the newest, as one does that has fallen behind; null: it keeps up. */
  newestBlock: number | null
  /** Straight to the chain: evm_mine, anvil_reorg … */
  rpc<Result>(method: string, ...params: unknown[]): Promise<Result>
  close(): void
}

export async function openLedgerBetween(rpcUrl: string): Promise<LedgerBetween> {
  const between = { fate: (() => 'pass') as LedgerBetween['fate'], newestBlock: null as number | null }
  const server = createServer((request, response) => void serve(request, response))
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port was given')

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = ''
    for await (const chunk of request) text += chunk
    const call = JSON.parse(text) as Call
    const fate = between.fate(call.method)
    if (fate === 'refuse') return void response.writeHead(503).end('not now')
    const reply = await askChain(call).catch(() => null)
    if (reply === null || fate === 'lose answer') return void response.destroy()
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ jsonrpc: '2.0', id: call.id, ...reply }))
  }

  async function askChain(call: Call): Promise<Reply> {
    const { newestBlock } = between
    if (newestBlock === null) return ask(rpcUrl, call)
    const newest = `0x${newestBlock.toString(16)}`
    if (call.method === 'eth_blockNumber') return { result: newest }
    const params = JSON.parse(JSON.stringify(call.params).replaceAll(/"(latest|pending)"/g, `"${newest}"`)) as unknown[]
    const reply = await ask(rpcUrl, { ...call, params })
    const { result } = reply
    // What is in a block that it does not have yet, it does not know.
    if (call.method !== 'eth_getTransactionReceipt' || result === null || typeof result !== 'object') return reply
    const { blockNumber } = result as { blockNumber?: string }
    return Number(blockNumber) > newestBlock ? { result: null } : reply
  }

  return {
    url: `http://127.0.0.1:${address.port}`,
    get fate() {
      return between.fate
    },
    set fate(fate) {
      between.fate = fate
    },
    get newestBlock() {
      return between.newestBlock
    },
    set newestBlock(block) {
      between.newestBlock = block
    },
    async rpc<Result>(method: string, ...params: unknown[]): Promise<Result> {
      const { result, error } = await ask(rpcUrl, { id: 1, method, params })
      if (error !== undefined) throw new Error(`${method}: ${error.message}`)
      return result as Result
    },
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
}

async function ask(rpcUrl: string, call: Call): Promise<Reply> {
  const body = JSON.stringify({ jsonrpc: '2.0', ...call })
  const reply = await fetch(rpcUrl, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
  const { result, error } = (await reply.json()) as Reply
  return error === undefined ? { result } : { error }
}
