import { randomUUID } from 'node:crypto'
import { parentPort } from 'node:worker_threads'
import { createDid } from '@tillit/did'
import { generatePrivateJwk, signerFromJwk } from '@tillit/keys'
import { didHost } from './did-host.ts'
import type { NewDid } from './registry-dids.ts'

parentPort?.on('message', async (count: number) => {
  const dids: NewDid[] = []
  while (dids.length < count) dids.push(await newDid())
  parentPort?.postMessage(dids)
})

async function newDid(): Promise<NewDid> {
  const signer = await signerFromJwk(await generatePrivateJwk())
  const now = new Date(Date.now() - 60_000)
  const { did, entry } = await createDid({ host: didHost, path: ['dids', randomUUID()], signer, now })
  return { did, entry }
}
