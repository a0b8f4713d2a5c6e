import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLogger } from '@tillit/http'
import { mlDsa44SignerFromSeed, signerFromSeed } from '@tillit/keys'
import {
  cosignerKey,
  emptyRoot,
  formatAddCheckpoint,
  formatCosignerKey,
  formatVerifierKey,
  leafHash,
  quorumMet,
  signCheckpoint,
  verifierKey,
} from '@tillit/log'
import { createWitness, openWitnessState, serveWitness } from '@tillit/witness'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { readConfig } from './config.ts'
import { openWitnessing } from './open-witnessing.ts'
import { Teardown } from './teardown.ts'

const seed = (byte: number) => new Uint8Array(32).fill(byte)
const logSigner = await signerFromSeed(seed(1))
const log = { origin: 'city.example/log', signers: [logSigner] }
const witnessSigners = [await signerFromSeed(seed(2)), await mlDsa44SignerFromSeed(seed(2))]
const outsider = await signerFromSeed(seed(3))
const outsiderKey = formatCosignerKey(cosignerKey('outside.example', outsider.publicKey))
const ownKeys = witnessSigners.map(({ publicKey }) =>
  formatCosignerKey(cosignerKey(`${log.origin}/witness`, publicKey)),
)

let folder: string
let teardown: Teardown
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'standalone-witnessing-'))
  teardown = new Teardown()
})
afterEach(async () => {
  await teardown.run()
  rmSync(folder, { recursive: true, force: true })
})

function open(env: Record<string, string> = {}) {
  const config = readConfig({ DATA_DIR: folder, ...env })
  const logger = createLogger('silent')
  return openWitnessing(config, { log, witnessSigners, now: () => new Date(), logger, teardown })
}

function openWith(policy: string, env: Record<string, string> = {}) {
  const file = join(folder, 'policy')
  writeFileSync(file, policy)
  return open({ WITNESS_POLICY: file, ...env })
}

/** An add-checkpoint request for the first checkpoint of the log. */
async function request(): Promise<string> {
  const checkpoint = { origin: log.origin, size: 1, root: leafHash(new Uint8Array(32)) }
  return formatAddCheckpoint({ oldSize: 0, proof: [], note: await signCheckpoint(checkpoint, logSigner) })
}

describe('without a policy', () => {
  test("both keys of the city's own witness have to cosign, and do", async () => {
    const { policy, peers, own } = await open()
    expect(policy.witnesses.map(({ name }) => name)).toEqual(['own-ed25519', 'own-ml-dsa-44'])
    expect(quorumMet(policy, own)).toBe(true)
    for (const { name } of policy.witnesses) expect(quorumMet(policy, new Set([name]))).toBe(false)
    expect(new Set(peers.values()).size).toBe(1)
    const reply = await peers.get('own-ed25519')?.addCheckpoint(await request())
    expect(reply?.status).toBe(200)
    expect(reply?.body.trimEnd().split('\n').length).toBe(2)
  })

  test('the witness remembers after a restart what it cosigned', async () => {
    await (await open()).peers.get('own-ed25519')?.addCheckpoint(await request())
    await teardown.run()
    teardown = new Teardown()
    const other = { origin: log.origin, size: 1, root: emptyRoot() }
    const fork = formatAddCheckpoint({ oldSize: 1, proof: [], note: await signCheckpoint(other, logSigner) })
    expect((await (await open()).peers.get('own-ed25519')?.addCheckpoint(fork))?.status).toBe(409)
  })
})

describe('with a policy', () => {
  test('the witnesses are asked where it says, beside the own one', async () => {
    const served = await serveWitness(
      createWitness({
        name: 'outside.example',
        signers: [outsider],
        logs: [verifierKey(log.origin, logSigner.publicKey)],
        state: await openWitnessState(join(folder, 'outside')),
        now: () => new Date(),
      }),
      { host: '127.0.0.1', port: 0 },
    )
    teardown.add(() => served.close())
    const { peers, own, policy } = await openWith(
      `witness home ${ownKeys[0]}\nwitness away ${outsiderKey} ${served.url}\ngroup both all home away\nquorum both\n`,
    )
    expect(own).toEqual(new Set(['home']))
    expect(quorumMet(policy, own)).toBe(false)
    for (const name of ['home', 'away'])
      expect((await peers.get(name)?.addCheckpoint(await request()))?.status, name).toBe(200)
  })

  test('witnesses at one URL are one witness', async () => {
    const { peers } = await openWith(
      `witness a ${outsiderKey} http://127.0.0.1:9\nwitness b ${ownKeys[1]}\nwitness c ${formatCosignerKey(cosignerKey('c.example', logSigner.publicKey))} http://127.0.0.1:9\ngroup all all a b c\nquorum all\n`,
    )
    expect(peers.get('a')).toBe(peers.get('c'))
    expect(peers.get('a')).not.toBe(peers.get('b'))
  })

  const line = `witness away ${outsiderKey}`
  const foreign = formatVerifierKey(verifierKey('other.example/log', outsider.publicKey))
  test.each([
    ['is malformed', `${line}\n`, {}, 'no quorum line'],
    ['can never be met', `${line}\nquorum away\n`, {}, 'can never be met'],
    ['is about another log', `log ${foreign}\nquorum none\n`, {}, 'not the log of this city'],
    ['has a URL that is none', `${line} ftp://a.example\nquorum away\n`, {}, 'witness away'],
    ['lacks an own witness', `${line} http://127.0.0.1:9\nquorum away\n`, { OWN_WITNESSES: 'home' }, 'names home'],
  ])('one that %s is refused in words for the operator', async (_what, policy, env, words) => {
    await expect(openWith(policy, env)).rejects.toMatchObject({ code: 'invalid-configuration' })
    await expect(openWith(policy, env)).rejects.toThrow(words)
  })

  test('one that is not there is refused, and so are own witnesses without one', async () => {
    await expect(open({ WITNESS_POLICY: join(folder, 'nothing') })).rejects.toThrow('cannot be read')
    expect(() => readConfig({ OWN_WITNESSES: 'home' })).toThrow('WITNESS_POLICY')
  })
})
