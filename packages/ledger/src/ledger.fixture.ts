import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Secp256k1Signer, secp256k1SignerFromPrivateKey } from '@tillit/keys'
import { hexToBytes } from 'viem'
import { type Anvil, startAnvil } from './start-anvil.ts'

/** The second development account of anvil: a stranger to our contract, with coin. */
export const stranger = secp256k1SignerFromPrivateKey(
  hexToBytes('0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d'),
)

/** An account of its own, with nothing. */
export function newAccount(byte: number): Secp256k1Signer {
  return secp256k1SignerFromPrivateKey(new Uint8Array(32).fill(byte))
}

export const root = (byte: number) => new Uint8Array(32).fill(byte)

export interface TestChain {
  readonly anvil: Anvil
  /** Folder of its state and its pid. */
  readonly dataDir: string
  readonly rpcUrl: string
  /** Calls a method of the node itself: evm_mine, evm_revert, anvil_reorg … */
  rpc(method: string, ...params: unknown[]): Promise<unknown>
  /** How many transactions of an account the chain holds. */
  sent(address: string): Promise<number>
  stop(): Promise<void>
}

/** A chain for one test file. */
export async function testChain(): Promise<TestChain> {
  const dataDir = mkdtempSync(join(tmpdir(), 'ledger-'))
  const anvil = await startAnvil({ dataDir })
  const rpc = (method: string, ...params: unknown[]) => call(anvil.rpcUrl, { method, params })
  return {
    anvil,
    dataDir,
    rpcUrl: anvil.rpcUrl,
    rpc,
    sent: async (address) => Number(await rpc('eth_getTransactionCount', address, 'latest')),
    stop: async () => {
      await anvil.stop()
      rmSync(dataDir, { recursive: true, force: true })
    },
  }
}

export interface RpcCall {
  readonly method: string
  readonly params: readonly unknown[]
}

async function call(url: string, { method, params }: RpcCall): Promise<unknown> {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
  const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
  const { result, error } = (await response.json()) as { result?: unknown; error?: { message: string } }
  if (error !== undefined) throw new Error(`${method}: ${error.message}`)
  return result
}

/** What a node between us and the chain makes of a call: passes it on, answers itself, or says nothing at all. */
export type Interference = (
  call: RpcCall,
) =>
  | 'pass'
  | 'hang'
  | 'lose answer'
  | { result: unknown }
  | { error: { code: number; message: string } }
  | { status: number; text: string }

/** A node in front of a chain that may misbehave. */
export async function nodeInFront(rpcUrl: string, interfere: Interference) {
  const calls: RpcCall[] = []
  const server = createServer((request, response) => {
    void answer(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = ''
    for await (const chunk of request) text += chunk
    const { id, ...asked } = JSON.parse(text) as RpcCall & { id: number }
    calls.push(asked)
    const reply = interfere(asked)
    if (reply === 'hang') return
    if (typeof reply === 'object' && 'status' in reply) {
      response.writeHead(reply.status).end(reply.text)
      return
    }
    const passed = await fetch(rpcUrl, { method: 'POST', headers: { 'content-type': 'application/json' }, body: text })
    const body = await passed.text()
    if (reply === 'lose answer') return
    response.setHeader('content-type', 'application/json')
    response.end(reply === 'pass' ? body : JSON.stringify({ jsonrpc: '2.0', id, ...reply }))
  }

  return {
    url: `http://127.0.0.1:${address.port}/v3/sEcReT-key`,
    /** Calls of one method so far. */
    of: (method: string) => calls.filter((made) => made.method === method),
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}
