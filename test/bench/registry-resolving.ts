import { createPublicKey, type KeyObject, verify } from 'node:crypto'
import { toBase64url } from '@tillit/codec'
import {
  createDid,
  createResolver,
  type DidState,
  formatDidLog,
  nextDidState,
  parseDidLog,
  rotateDid,
  verifyDidLog,
} from '@tillit/did'
import { generatePrivateJwk, type Signer, signerFromJwk } from '@tillit/keys'
import type { DidLogEntry } from '@tillit/schemas'
import * as didwebvh from 'didwebvh-ts'
import { alternate, type Contender } from './alternate.ts'
import { type Figure, figure } from './figure.ts'
import type { RegistrySizes } from './registry.ts'

const now = new Date('2026-06-01T00:00:00Z')

/** Reading and verifying a whole log whose keys are pre-rotated in each entry, so that nothing in it is like the entry before. */
export async function resolvingBench({ entries, pace }: RegistrySizes['resolving']): Promise<Figure[]> {
  const { did, text, lastVersionId } = await rotatedLog(entries)
  const resolver = createResolver({
    ...{ webvhLog: async () => text, webvhWitness: async () => null, fetchText: null, now: () => now },
  })
  const speeds = await alternate(
    {
      ours: repeating(async () => (await resolver.resolve(did)).didDocumentMetadata.versionId === lastVersionId),
      oneThread: repeating(async () => verifyDidLog(parseDidLog(text), { now }).versionId === lastVersionId),
      peer: repeating(async () => {
        const log = text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as DidLogEntry]))
        return (await didwebvh.resolveDIDFromLog(log, { verifier })).meta.versionId === lastVersionId
      }),
    },
    pace,
  )
  const about = { bench: 'registry', unit: 'logs/s' }
  const reference = { what: 'didwebvh-ts 2.8 on the same log, verifying by node:crypto too', value: speeds.peer }
  const name = `did:webvh logs of ${entries} entries resolved`
  return [
    figure({ ...about, figure: name, value: speeds.ours, reference }, { least: 4 }),
    figure({ ...about, figure: `${name}, in one thread`, value: speeds.oneThread, reference }),
  ]
}

async function rotatedLog(length: number): Promise<{ did: string; text: string; lastVersionId: string }> {
  const signers: Signer[] = []
  while (signers.length <= length) signers.push(await signerFromJwk(await generatePrivateJwk()))
  const signerOf = (version: number): Signer => {
    const signer = signers[version - 1]
    if (signer === undefined) throw new Error('there is no such version')
    return signer
  }
  const at = (version: number) => new Date(now.getTime() - (length + 1 - version) * 60_000)
  const created = await createDid({
    ...{ host: 'bench.tillit.example', path: ['dids', 'rotated'], signer: signerOf(1) },
    ...{ nextKeys: [signerOf(2).publicKey], now: at(1) },
  })
  const entries = [created.entry]
  let state: DidState = created.state
  for (let version = 2; version <= length; version++) {
    const entry = await rotateDid(state, {
      ...{ signer: signerOf(version), nextKeys: [signerOf(version + 1).publicKey], now: at(version) },
    })
    entries.push(entry)
    state = nextDidState({ state, entry, now })
  }
  return { did: state.did, text: formatDidLog(entries), lastVersionId: state.versionId }
}

/** The peer leaves verifying to its caller; this is as fast as it gets: each key is imported once. */
const verifier = {
  verify: async (signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array): Promise<boolean> =>
    verify(null, message, imported(publicKey), signature),
}

const keys = new Map<string, KeyObject>()

function imported(publicKey: Uint8Array): KeyObject {
  const x = toBase64url(publicKey)
  const key = keys.get(x) ?? createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' })
  keys.set(x, key)
  return key
}

function repeating(run: () => Promise<boolean>): Contender {
  return async (times) => {
    let right = 0
    for (let i = 0; i < times; i++) if (await run()) right++
    return right
  }
}
