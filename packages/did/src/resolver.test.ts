import { generatePrivateJwk, signerFromJwk, signerFromSeed, toMultikey } from '@tillit/keys'
import { Problem } from '@tillit/problem'
import type { DidLogEntry } from '@tillit/schemas'
import { Resolver } from 'did-resolver'
import { beforeAll, describe, expect, test } from 'vitest'
import {
  createDid,
  createResolver,
  deactivateDid,
  didJwkFor,
  didKeyFor,
  type FetchText,
  formatDidLog,
  formatDidWitnessFile,
  nextDidState,
  updateDid,
  verificationKeys,
  witnessEntry,
} from './index.ts'

const at = (minute: number) => new Date(Date.UTC(2026, 0, 1, 0, minute))
const signer = await signerFromSeed(new Uint8Array(32).fill(21))
const witnessSigners = [
  await signerFromSeed(new Uint8Array(32).fill(22)),
  await signerFromSeed(new Uint8Array(32).fill(23)),
] as const

let did: string
let log: DidLogEntry[]
const hosted = new Map<string, string>()

beforeAll(async () => {
  const created = await createDid({ host: 'localhost:8080', path: ['dids', 'one'], signer, now: at(1) })
  const updated = await updateDid(created.state, { signer, services: () => [], now: at(3) })
  const state = nextDidState({ state: created.state, entry: updated, now: at(59) })
  const ended = await deactivateDid(state, { signer, now: at(5) })
  did = created.did
  log = [created.entry, updated, ended]
  hosted.set(did, formatDidLog(log.slice(0, 2)))
})

function resolverWith(
  fetchText: FetchText | null = null,
  text: string | null = null,
  witnessFile: string | null = null,
) {
  return createResolver({
    webvhLog: async (asked) => text ?? hosted.get(asked) ?? null,
    webvhWitness: async () => witnessFile,
    fetchText,
    now: () => at(59),
  })
}

describe('a did:webvh', () => {
  test('resolves to its newest document, with the metadata of the method', async () => {
    const { didDocument, didDocumentMetadata, didResolutionMetadata } = await resolverWith().resolve(did)
    expect(didDocument).toEqual(log[1]?.state)
    expect(didDocumentMetadata).toEqual({
      versionId: log[1]?.versionId,
      versionTime: at(3).toISOString(),
      created: at(1).toISOString(),
      updated: at(3).toISOString(),
      scid: did.split(':')[2],
      portable: false,
      deactivated: false,
      ttl: '3600',
    })
    expect(didResolutionMetadata).toEqual({ contentType: 'application/did+ld+json' })
  })

  test('resolves by version id, number and time, from options and from the query', async () => {
    const { resolve } = resolverWith()
    const first = log[0]?.versionId ?? ''
    const versionTime = at(2).toISOString()
    for (const result of await Promise.all([
      resolve(did, { versionId: first }),
      resolve(did, { versionNumber: 1 }),
      resolve(did, { versionTime }),
      resolve(`${did}?versionId=${first}`),
      resolve(`${did}?versionNumber=1`),
      resolve(`${did}?versionTime=${versionTime}`),
      new Resolver(resolverWith().registry).resolve(`${did}?versionNumber=1#key`),
    ])) {
      expect(result.didDocumentMetadata.versionId).toBe(first)
    }
  })

  test.each([
    ['?versionId=9-Qm', 'notFound'],
    ['?versionNumber=3', 'notFound'],
    ['?versionTime=2025-12-31T00:00:00Z', 'notFound'],
    ['?versionTime=yesterday', 'invalidOptions'],
    ['?versionNumber=0', 'notFound'],
    ['?versionNumber=01', 'invalidOptions'],
    ['?versionNumber=1&versionTime=2026-01-01T00:02:00Z', 'invalidOptions'],
    ['?versionNumber=1&versionNumber=2', 'invalidDid'],
    ['?service=api', 'invalidOptions'],
    ['/whois', 'notFound'],
  ])('with %s ends in %s', async (suffix, error) => {
    const { didDocument, didResolutionMetadata } = await resolverWith().resolve(did + suffix)
    expect([didDocument, didResolutionMetadata.error]).toEqual([null, error])
  })

  test('that is deactivated has no document, but its older versions have', async () => {
    const { resolve } = resolverWith(null, formatDidLog(log))
    const newest = await resolve(did)
    expect(newest.didDocument).toBeNull()
    expect(newest.didDocumentMetadata.deactivated).toBe(true)
    expect(newest.didResolutionMetadata.error).toBeUndefined()
    const older = await resolve(did, { versionNumber: 1 })
    expect(older.didDocument?.id).toBe(did)
    expect(older.didDocumentMetadata).toMatchObject({ deactivated: true, updated: at(5).toISOString() })
  })

  test('with an invalid last entry resolves to no newest version, but to an older one by name', async () => {
    const forged = [log[0], { ...log[1], versionTime: at(4).toISOString() }] as DidLogEntry[]
    const { resolve } = resolverWith(null, formatDidLog(forged))
    expect((await resolve(did)).didResolutionMetadata).toMatchObject({
      error: 'invalidDid',
      problemDetails: { code: 'invalid-did-log', pointer: '/versionId' },
    })
    expect((await resolve(did, { versionTime: at(4).toISOString() })).didResolutionMetadata.error).toBe('invalidDid')
    expect((await resolve(did, { versionNumber: 1 })).didDocument?.id).toBe(did)
  })

  test('does not resolve from the log of another', async () => {
    const other = await createDid({ host: 'localhost:8080', path: ['dids', 'two'], signer, now: at(1) })
    const { didResolutionMetadata } = await resolverWith(null, formatDidLog([other.entry])).resolve(did)
    expect(didResolutionMetadata.error).toBe('invalidDid')
  })

  describe('with witnesses', () => {
    const [first, second] = witnessSigners
    const witness = { threshold: 1, witnesses: witnessSigners.map((one) => ({ id: didKeyFor(one.publicKey) })) }
    const made = async () => {
      const created = await createDid({ host: 'city.example', path: [], signer, witness, now: at(1) })
      const updated = await updateDid(created.state, { signer, services: () => [], now: at(3) })
      return [created.entry, updated] as const
    }

    test('does not resolve before a threshold of them has approved', async () => {
      const [entry] = await made()
      const { didDocument, didResolutionMetadata } = await resolverWith(null, formatDidLog([entry])).resolve(
        entry.state.id as string,
      )
      expect(didDocument).toBeNull()
      expect(didResolutionMetadata).toMatchObject({
        error: 'invalidDid',
        problemDetails: { code: 'did-not-witnessed' },
      })
    })

    test('does not resolve while they have not approved the newest version, except to one that is named', async () => {
      const [entry, next] = await made()
      const id = entry.state.id as string
      const oldFile = formatDidWitnessFile([await witnessEntry(entry.versionId, first, at(2))])
      const before = resolverWith(null, formatDidLog([entry, next]), oldFile)
      const newest = await before.resolve(id)
      expect(newest.didDocument).toBeNull()
      expect(newest.didResolutionMetadata.problemDetails?.code).toBe('did-not-witnessed')
      expect((await before.resolve(id, { versionNumber: 1 })).didDocumentMetadata).toMatchObject({
        versionId: entry.versionId,
        updated: at(1).toISOString(),
        witness: { ...witness, threshold: '1' },
      })
      const unseen = await before.resolve(id, { versionId: next.versionId })
      expect(unseen.didResolutionMetadata.problemDetails?.code).toBe('did-not-witnessed')
      // The later proof approves the version before it too, so the older one is not needed any more.
      const newFile = formatDidWitnessFile([await witnessEntry(next.versionId, second, at(4))])
      const after = resolverWith(null, formatDidLog([entry, next]), newFile)
      expect((await after.resolve(id)).didDocumentMetadata.versionId).toBe(next.versionId)
      expect((await after.resolve(id, { versionNumber: 1 })).didDocumentMetadata.versionId).toBe(entry.versionId)
    })

    test('on a foreign host has its proofs fetched beside the log, and only then', async () => {
      const [entry] = await made()
      const file = formatDidWitnessFile([await witnessEntry(entry.versionId, first, at(2))])
      const asked: string[] = []
      const fetchText: FetchText = async (url) => {
        asked.push(url.href)
        return url.pathname.endsWith('.jsonl') ? formatDidLog([entry]) : file
      }
      const { didDocument } = await resolverWith(fetchText).resolve(entry.state.id as string)
      expect(didDocument?.id).toBe(entry.state.id)
      expect(asked).toEqual([
        'https://city.example/.well-known/did.jsonl',
        'https://city.example/.well-known/did-witness.json',
      ])
    })

    test('and a witness file that is none does not resolve', async () => {
      const [entry] = await made()
      for (const file of ['', '{}', '[1]', '[{"versionId":1}]', '[{"versionId":"1-Qm","proof":{}}]']) {
        const { didResolutionMetadata } = await resolverWith(null, formatDidLog([entry]), file).resolve(
          entry.state.id as string,
        )
        expect(didResolutionMetadata.problemDetails?.code, file).toBe('invalid-did-log')
      }
    })
  })
})

describe('a foreign host', () => {
  test('is asked for the log and for the document, at the place of the DID', async () => {
    const asked: string[] = []
    const fetchText: FetchText = async (url) => {
      asked.push(url.href)
      return url.pathname.endsWith('.jsonl') ? formatDidLog(log) : '{"id":"did:web:city.example:a"}'
    }
    const { resolve } = createResolver({
      webvhLog: async () => null,
      webvhWitness: async () => null,
      fetchText,
      now: () => at(59),
    })
    expect((await resolve(did, { versionNumber: 2 })).didDocument?.id).toBe(did)
    expect((await resolve('did:web:city.example:a')).didDocument?.id).toBe('did:web:city.example:a')
    expect((await resolve('did:web:city.example:b')).didResolutionMetadata.error).toBe('invalidDid')
    expect(asked).toEqual([
      'https://localhost:8080/dids/one/did.jsonl',
      'https://city.example/a/did.json',
      'https://city.example/b/did.json',
    ])
  })

  test('is never asked without the port, and its failure is not taken for absence', async () => {
    expect((await resolverWith().resolve('did:web:city.example')).didResolutionMetadata.error).toBe('notFound')
    const failing = resolverWith(async () => {
      throw new Problem('did-resolution-failed', { detail: 'The host is not on the list' })
    })
    expect((await failing.resolve('did:web:city.example')).didResolutionMetadata.error).toBe('internalError')
    const broken = resolverWith(() => Promise.reject(new TypeError('a bug')))
    await expect(broken.resolve('did:web:city.example')).rejects.toThrow('a bug')
  })
})

describe('a DID that is its key', () => {
  test.each(['EdDSA', 'ES256'] as const)('gives the %s key for each signing relationship', async (alg) => {
    const { publicKey } = await signerFromJwk(await generatePrivateJwk(alg))
    const multikey = toMultikey(publicKey)
    for (const [id, method] of [
      [didKeyFor(publicKey), multikey],
      [didJwkFor(publicKey), '0'],
    ] as const) {
      const { didDocument } = await new Resolver(resolverWith().registry).resolve(id)
      expect(didDocument?.id).toBe(id)
      if (didDocument === null) continue
      for (const relationship of [
        'authentication',
        'assertionMethod',
        'capabilityInvocation',
        'capabilityDelegation',
      ] as const) {
        expect(verificationKeys(didDocument, relationship)).toEqual([{ id: `${id}#${method}`, key: publicKey }])
      }
      expect(verificationKeys(didDocument, 'keyAgreement')).toEqual([])
    }
  })

  test('has no versions', async () => {
    const result = await resolverWith().resolve(`${didKeyFor(signer.publicKey)}?versionNumber=1`)
    expect(result.didResolutionMetadata.error).toBe('notFound')
  })
})

test('a method that is not known is not supported, not even one that every object has', async () => {
  expect((await resolverWith().resolve('did:example:123')).didResolutionMetadata.error).toBe('methodNotSupported')
  const { didResolutionMetadata } = await new Resolver(resolverWith().registry).resolve('did:constructor:123')
  expect(didResolutionMetadata.error).toBe('unsupportedDidMethod')
})

test('a representation that is not known is refused', async () => {
  const { resolve } = resolverWith()
  expect((await resolve(did, { accept: 'application/did+json' })).didResolutionMetadata.contentType).toBe(
    'application/did+json',
  )
  expect((await resolve(did, { accept: 'application/did+cbor' })).didResolutionMetadata.error).toBe(
    'representationNotSupported',
  )
})

test('keys of other controllers and dangling references are no keys of the document', () => {
  const key = { type: 'Multikey', publicKeyMultibase: toMultikey(signer.publicKey) }
  const document = {
    id: 'did:web:city.example',
    verificationMethod: [
      { ...key, id: '#mine', controller: 'did:web:city.example' },
      { ...key, id: '#theirs', controller: 'did:web:mallory.example' },
    ],
    authentication: ['#mine', 'did:web:city.example#theirs', '#none', 'did:web:mallory.example#mine'],
  }
  expect(verificationKeys(document, 'authentication').map(({ id }) => id)).toEqual(['did:web:city.example#mine'])
})
