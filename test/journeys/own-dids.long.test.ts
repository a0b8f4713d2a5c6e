import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { parseDidLog } from '@tillit/did'
import { ed25519PublicKey, verifySignature } from '@tillit/keys'
import type { DidResolutionResult } from '@tillit/schemas'
import * as oracle from 'didwebvh-ts'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { openStage, type Stage } from './stage.ts'

// In a test environment didwebvh-ts writes every log that it resolves into the working tree.
vi.hoisted(() => vi.stubEnv('NODE_ENV', 'production'))

const bin = fileURLToPath(new URL('../../packages/cli/bin/tillit.mjs', import.meta.url))
const verifier = {
  verify: async (signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array) =>
    verifySignature(ed25519PublicKey(publicKey), message, signature),
}

let stage: Stage
let folder: string
let witness: string
beforeAll(async () => {
  stage = await openStage()
  folder = await mkdtemp(join(tmpdir(), 'tillit-own-dids-'))
  witness = (await stage.anyone.get<{ did: string }>('/registry/witness')).did
})
afterAll(async () => {
  await stage.close()
  await rm(folder, { recursive: true })
})
afterEach(() => vi.unstubAllGlobals())

interface Ran {
  status: number
  lines: string[]
  err: string
}

/** The command as a person runs it, for one DID with files of its own. */
function commands(name: string) {
  const files = ['--key', join(folder, `${name}.json`), '--log', join(folder, `${name}.jsonl`)]
  const run = async (verb: string, ...args: string[]): Promise<Ran> => {
    const ran = await new Promise<Ran>((resolve) => {
      execFile(process.execPath, [bin, 'did', verb, ...args, ...files], { cwd: folder }, (error, out, err) => {
        resolve({ status: error === null ? 0 : Number(error.code), lines: out.trim().split('\n'), err })
      })
    })
    expect(ran, ran.err).toMatchObject({ status: 0 })
    return ran
  }
  const log = async () => parseDidLog(await readFile(join(folder, `${name}.jsonl`), 'utf8'))
  return { run, log, place: `${stage.config.didHost}/dids/${name}`, register: ['--register', stage.city.url] }
}

/** A stock did:webvh resolver, over HTTP. It asks by https, which a city leaves to what stands before it. */
async function stockResolve(did: string, lost?: string) {
  const { fetch } = globalThis
  vi.stubGlobal('fetch', async (input: string | URL) => {
    const url = String(input).replace(/^https:/, 'http:')
    return lost !== undefined && url.endsWith(lost) ? new Response('', { status: 404 }) : fetch(url)
  })
  vi.spyOn(console, 'error').mockImplementation(() => undefined)
  try {
    return await oracle.resolveDID(did, { verifier })
  } finally {
    vi.restoreAllMocks()
    vi.unstubAllGlobals()
  }
}

async function status(path: string): Promise<number> {
  return (await fetch(`${stage.city.url}${path}`)).status
}

function published(name: string, versionId: string): Promise<void> {
  return vi.waitFor(
    async () => {
      const answer = await fetch(`${stage.city.url}/dids/${name}/did.jsonl`)
      expect(answer.headers.get('etag')).toBe(`"${versionId}"`)
    },
    { timeout: 60_000, interval: 50 },
  )
}

/** The last line of the command: what it made; before it a receipt of each accepted entry. */
function receiptOf({ lines }: Ran): string {
  return lines.findLast((line) => line.startsWith('{')) ?? ''
}

test('a DID that names the registry as its witness is public only once the published log holds it, for stock resolvers too', async () => {
  const { run, log, place, register } = commands('co')
  const created = await run('create', place, ...register, '--listed', '--portable', '--witness', witness)
  const did = created.lines.at(-1) ?? ''
  const proof = `/log/leaves/${JSON.parse(receiptOf(created)).opening.commitment}/proof`
  await vi.waitFor(
    async () => {
      const shown = await status('/dids/co/did.jsonl')
      // Asked for after it was shown: never shown before the log is published with it.
      if (shown === 200) expect(await status(proof)).toBe(200)
      expect(shown).toBe(200)
    },
    { timeout: 60_000, interval: 10 },
  )
  await writeFile(join(folder, 'receipt.json'), receiptOf(created))
  const { stdout: verified } = await promisify(execFile)(process.execPath, [bin, 'verify', 'receipt.json', '--wait'], {
    cwd: folder,
  })
  expect(verified).toContain('✓ anchored')
  expect(await stockResolve(did)).toMatchObject({ did, doc: { id: did } })
  expect((await stockResolve(did, 'did-witness.json')).meta).toMatchObject({ error: 'invalidDid' })

  for (const step of [['update', '--service', 'api=Api=https://co.example/'], ['rotate', '--pre-rotate'], ['rotate']]) {
    const [verb = '', ...args] = step
    const versionId = (await run(verb, ...args, ...register)).lines.at(-1) ?? ''
    await published('co', versionId)
    const resolved = await stockResolve(did)
    expect(resolved.meta).toMatchObject({ versionId })
    expect(resolved.doc?.service?.[0]).toMatchObject({ id: `${did}#api` })
  }

  await run('move', 'co.example/me', '--leave', stage.city.url)
  const [moved] = (await log()).slice(-1)
  await published('co', moved?.versionId ?? '')
  const left = await stage.anyone.get<DidResolutionResult>(`/1.0/identifiers/${encodeURIComponent(did)}`, {
    accept: 'application/did-resolution',
  })
  expect(left.didDocumentMetadata.canonicalId).toBe(did.replace(/localhost.*$/, 'co.example:me'))
})

test('a portable DID of another host moves in with its history, lives on here, and ends here', async () => {
  const { run, log, place, register } = commands('newcomer')
  await run('create', 'far.example/people/me', '--listed', '--portable')
  await run('rotate')
  const moved = await run('move', place, ...register)
  expect(moved.lines.filter((line) => line.startsWith('{'))).toHaveLength(3)
  const did = String((await log()).at(-1)?.state.id)
  expect(await stockResolve(did)).toMatchObject({
    doc: { id: did, alsoKnownAs: [expect.stringContaining('far.example')] },
  })

  const again = await run('move', place, ...register)
  expect(again.err).toContain('has every entry')
  expect(await log()).toHaveLength(3)
  await run('rotate', ...register)
  expect((await stockResolve(did)).meta.versionId).toBe((await log()).at(-1)?.versionId)
  await run('deactivate', ...register)
  expect((await stockResolve(did)).meta).toMatchObject({ deactivated: true })
  expect(await status(`/1.0/identifiers/${encodeURIComponent(did)}`)).toBe(410)
})
