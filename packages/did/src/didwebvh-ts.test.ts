import { fromBase58, toBase58 } from '@tillit/codec'
import { ed25519PublicKey, type Signer, signerFromSeed, toMultikey, verifySignature } from '@tillit/keys'
import type { DidLogEntry } from '@tillit/schemas'
import * as oracle from 'didwebvh-ts'
import { beforeAll, expect, test } from 'vitest'
import {
  createDid,
  type DIDDocument,
  deactivateDid,
  nextDidState,
  nextKeyHash,
  rotateDid,
  updateDid,
  verifyDidLog,
} from './index.ts'

const at = (minute: number) => new Date(Date.UTC(2026, 0, 1, 0, minute))
const now = at(59)

// The types that didwebvh-ts publishes do not resolve here, so its calls are described as far as they are used.
interface OracleSigner {
  getVerificationMethodId(): string
  sign(input: { document: unknown; proof: Parameters<typeof oracle.prepareDataForSigning>[1] }): Promise<{
    proofValue: string
  }>
}
interface OracleDocument {
  service?: { id?: string }[]
}

const verifier = {
  verify: async (signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array) =>
    verifySignature(ed25519PublicKey(publicKey), message, signature),
}

let first: Signer
let second: Signer
let third: Signer

beforeAll(async () => {
  first = await signerFromSeed(new Uint8Array(32).fill(11))
  second = await signerFromSeed(new Uint8Array(32).fill(12))
  third = await signerFromSeed(new Uint8Array(32).fill(13))
})

function oracleSigner(signer: Signer): OracleSigner {
  const multikey = toMultikey(signer.publicKey)
  return {
    getVerificationMethodId: () => `did:key:${multikey}#${multikey}`,
    sign: async ({ document, proof }) => {
      const bytes = await oracle.prepareDataForSigning(document, proof)
      return { proofValue: `z${toBase58(await signer.sign(bytes))}` }
    },
  }
}

/** didwebvh-ts adds the services that a resolver may imply; the rest must be equal. */
function withoutImpliedServices(document: OracleDocument | null): unknown {
  if (document === null) return null
  const service = document.service?.filter(({ id }) => id !== '#files' && id !== '#whois') ?? []
  const { service: _, ...rest } = document
  return service.length === 0 ? rest : { ...rest, service }
}

async function resolveThere(log: DidLogEntry[]): Promise<{ document: unknown; meta: Record<string, unknown> }> {
  const { doc, meta } = await oracle.resolveDIDFromLog(log, { verifier })
  return { document: withoutImpliedServices(doc), meta }
}

async function ourLog(): Promise<DidLogEntry[]> {
  const created = await createDid({
    host: 'city.example:8443',
    path: ['parties', 'b~ü'],
    signer: first,
    nextKeys: [second.publicKey],
    portable: true,
    now: at(1),
  })
  const rotated = await rotateDid(created.state, {
    signer: second,
    nextKeys: [third.publicKey],
    services: (did) => [{ id: `${did}#api`, type: 'Api', serviceEndpoint: 'https://city.example/' }],
    now: at(2),
  })
  const state = nextDidState({ state: created.state, entry: rotated, now })
  const plain = await rotateDid(state, { signer: third, nextKeys: [], now: at(3) })
  const afterPlain = nextDidState({ state, entry: plain, now })
  const updated = await updateDid(afterPlain, { signer: third, keys: [first.publicKey], now: at(4) })
  return [created.entry, rotated, plain, updated]
}

test('each prefix of a log made here resolves in didwebvh-ts with the same document', async () => {
  const log = await ourLog()
  for (let length = 1; length <= log.length; length++) {
    const ours = verifyDidLog(log.slice(0, length), { now })
    const theirs = await resolveThere(log.slice(0, length))
    expect(theirs.document).toEqual(ours.document)
    expect(theirs.meta).toMatchObject({
      versionId: ours.versionId,
      scid: ours.scid,
      updateKeys: ours.updateKeys,
      nextKeyHashes: ours.nextKeyHashes,
      portable: ours.portable,
    })
  }
})

test('a deactivation made here is one in didwebvh-ts', async () => {
  const log = await ourLog()
  const state = verifyDidLog(log, { now })
  const entry = await deactivateDid(state, { signer: third, now: at(5) })
  expect((await resolveThere([...log, entry])).meta.deactivated).toBe(true)
})

test('a log made by didwebvh-ts verifies here with the same document', async () => {
  const multikey = toMultikey(first.publicKey)
  const created = await oracle.createDID({
    address: 'city.example',
    paths: ['parties', 'other'],
    signer: oracleSigner(first),
    updateKeys: [multikey],
    nextKeyHashes: [nextKeyHash(second.publicKey)],
    verificationMethods: [{ type: 'Multikey', publicKeyMultibase: multikey, purpose: 'assertionMethod' }],
    created: at(1).toISOString(),
    verifier,
  })
  const updated = await oracle.updateDID({
    log: created.log,
    signer: oracleSigner(second),
    updateKeys: [toMultikey(second.publicKey)],
    nextKeyHashes: [],
    verificationMethods: [
      { type: 'Multikey', publicKeyMultibase: toMultikey(third.publicKey), purpose: 'authentication' },
    ],
    updated: at(2).toISOString(),
    verifier,
  })
  const log = updated.log as DidLogEntry[]
  const state = verifyDidLog(log, { now })
  expect(state.did).toBe(updated.did)
  expect(state.document).toEqual(updated.doc as DIDDocument)
  expect(state.updateKeys).toEqual([toMultikey(second.publicKey)])
})

test('the commitment to a next key is the one of didwebvh-ts', async () => {
  expect(nextKeyHash(first.publicKey)).toBe(await oracle.deriveNextKeyHash(toMultikey(first.publicKey)))
  expect(fromBase58(nextKeyHash(first.publicKey)).slice(0, 2)).toEqual(Uint8Array.of(0x12, 0x20))
})
