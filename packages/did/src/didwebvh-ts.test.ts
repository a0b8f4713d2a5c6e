import { readdirSync, readFileSync } from 'node:fs'
import { fromBase58, toBase58 } from '@tillit/codec'
import { ed25519PublicKey, type Signer, signerFromSeed, toMultikey, verifySignature } from '@tillit/keys'
import type { DidLogEntry } from '@tillit/schemas'
import * as oracle from 'didwebvh-ts'
import { beforeAll, describe, expect, test, vi } from 'vitest'
import {
  createDid,
  type DIDDocument,
  deactivateDid,
  didKeyFor,
  nextDidState,
  nextKeyHash,
  rotateDid,
  updateDid,
  verifyDidLog,
  verifyWitnessProofs,
  type WitnessProofs,
  witnessEntry,
  witnessedPrefix,
} from './index.ts'

// In a test environment didwebvh-ts writes every log that it resolves into the working tree.
vi.hoisted(() => vi.stubEnv('NODE_ENV', 'production'))

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

async function resolveThere(
  log: DidLogEntry[],
  witnessProofs: readonly WitnessProofs[] = [],
): Promise<{ document: unknown; meta: Record<string, unknown> }> {
  const { doc, meta } = await oracle.resolveDIDFromLog(log, { verifier, witnessProofs })
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

describe('with witnesses', () => {
  const config = (...signers: Signer[]) => ({
    threshold: signers.length,
    witnesses: signers.map(({ publicKey }) => ({ id: didKeyFor(publicKey) })),
  })

  test('a log and proofs made here resolve in didwebvh-ts as far as they count here', async () => {
    const witness = config(second, third)
    const created = await createDid({ host: 'city.example', path: [], signer: first, witness, now: at(1) })
    const updated = await updateDid(created.state, { signer: first, witness: config(third), now: at(2) })
    const log = [created.entry, updated]
    const states = [created.state, nextDidState({ state: created.state, entry: updated, now })]
    const proofs = [
      await witnessEntry(updated.versionId, second, at(3)),
      await witnessEntry(updated.versionId, third, at(3)),
    ]
    expect(witnessedPrefix(states, proofs)).toBe(2)
    expect((await resolveThere(log, proofs)).document).toEqual(states[1]?.document)
    for (const fewer of [[], proofs.slice(1), proofs.slice(0, 1)]) {
      expect(witnessedPrefix(states, fewer)).toBe(0)
      await expect(resolveThere(log, fewer)).rejects.toThrow('threshold not met')
    }
  })

  test('proofs made by didwebvh-ts verify here', async () => {
    const witness = config(second, third)
    const created = await createDid({ host: 'city.example', path: [], signer: first, witness, now: at(1) })
    const proofs = await oracle.signWitnessProofEntry({
      versionId: created.entry.versionId,
      witnesses: witness.witnesses,
      witnessSignersByDid: Object.fromEntries(
        [second, third].map((one) => [didKeyFor(one.publicKey), oracleSigner(one)]),
      ),
      created: at(2).toISOString(),
    })
    // It leaves `id` undefined, which JSON does not have.
    const item = JSON.parse(JSON.stringify(proofs)) as WitnessProofs
    expect(
      verifyWitnessProofs(
        item,
        witness.witnesses.map(({ id }) => id),
      ),
    ).toHaveLength(2)
    expect(witnessedPrefix([created.state], [item])).toBe(1)
  })
})

describe('the published vectors', () => {
  interface Vector {
    kind: string
    log: DidLogEntry[]
    witness?: unknown
    query?: object
    state?: { requiredWitness?: unknown }
  }
  const folder = new URL('../../../test/vectors/did/', import.meta.url)
  const read = (path: string): unknown => JSON.parse(readFileSync(new URL(path, folder), 'utf8'))
  const differences = read('didwebvh-ts.json') as { reason: string; vectors: string[] }[]

  /** Those that didwebvh-ts can be asked about: logs for which it is given all that it needs. */
  function vectors(verdict: string): [string, Vector][] {
    return readdirSync(new URL(`${verdict}/`, folder))
      .map((file): [string, Vector] => [file.replace('.json', ''), read(`${verdict}/${file}`) as Vector])
      .filter(
        ([, { kind, query = {}, state }]) =>
          (kind === 'log' || kind === 'resolution') && Object.keys(query).length === 0 && !state?.requiredWitness,
      )
  }

  function differs(name: string): boolean {
    return differences.some(({ vectors: names }) =>
      names.some((one) => one === name || (one.endsWith('*') && name.startsWith(one.slice(0, -1)))),
    )
  }

  async function accepts({ log, witness }: Vector): Promise<boolean> {
    try {
      const { meta } = await oracle.resolveDIDFromLog(log, { verifier, witnessProofs: witness ?? [] })
      return meta.error === undefined
    } catch {
      return false
    }
  }

  test.each(['valid', 'invalid'])(
    'that are %s have the same verdict in didwebvh-ts, or a reason why not',
    async (verdict) => {
      vi.spyOn(console, 'warn').mockImplementation(() => undefined)
      const found: string[] = []
      for (const [name, vector] of vectors(verdict)) {
        if ((await accepts(vector)) !== (verdict === 'valid')) found.push(name)
      }
      vi.restoreAllMocks()
      expect(found.filter((name) => !differs(name))).toEqual([])
      // And no reason for what does not differ.
      expect(
        vectors(verdict)
          .map(([name]) => name)
          .filter((name) => differs(name) && !found.includes(name)),
      ).toEqual([])
    },
  )
})
