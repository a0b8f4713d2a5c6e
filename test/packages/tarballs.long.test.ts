import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { anvilAccount, openEvmLedger, startAnvil } from '@tillit/ledger'
import { formatAddCheckpoint } from '@tillit/log'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { LyingLog, startLyingLog } from '../../packages/client/src/audit/lying-log.fixture.ts'
import { installedNodes, installTarballs, type Outsider, root, run } from './install-tarballs.ts'
import { logOfOne, startInstalledWitness, withLastSignatureChanged } from './installed-witness.ts'

let outsider: Outsider
let nodes: Map<number, string>

beforeAll(async () => {
  outsider = await installTarballs()
  nodes = await installedNodes()
  console.log(`The packages are run with Node ${[...nodes.keys()].join(' and ')}.`)
  if (outsider.missing !== null) console.log(`The tarballs are packed but not installed. ${outsider.missing}`)
}, 300_000)
afterAll(() => outsider?.close())

const inTarball = (name: 'client' | 'cli', ...args: string[]) =>
  run('tar', [args.length === 0 ? 'tzf' : 'xzOf', outsider.tarballs[name], ...args], outsider.folder)

test.each(['client', 'cli'] as const)(
  'the tarball of %s holds compiled code, and needs nothing of ours',
  async (name) => {
    const files = (await inTarball(name)).out.trim().split('\n')
    expect(files).toEqual(expect.arrayContaining(['package/LICENSE', 'package/README.md', 'package/package.json']))
    expect(files.filter((file) => /\.tsx?$/.test(file) && !file.endsWith('.d.ts'))).toEqual([])
    const manifest = JSON.parse((await inTarball(name, 'package/package.json')).out) as Record<string, object>
    expect(manifest).not.toHaveProperty('private')
    expect(Object.keys(manifest.dependencies ?? {}).filter((dependency) => dependency.startsWith('@tillit/'))).toEqual(
      [],
    )
  },
)

test('tillit brings the reading side of the ledger only', async () => {
  const code = (await inTarball('cli', 'package/dist')).out
  expect(code).toContain('tillit fsck URL')
  expect(code).not.toMatch(/child_process|anvil/i)
})

describe('installed by an outsider', () => {
  beforeEach((context) => {
    if (outsider.missing !== null) context.skip(outsider.missing)
  })

  test('tillit says how it is called, verifies a receipt and refuses a changed one', async () => {
    for (const node of nodes.values()) {
      const tillit = (...args: string[]) => run(node, ['node_modules/.bin/tillit', ...args], outsider.folder)
      const help = await tillit('--help')
      expect(help).toMatchObject({ status: 0, err: '' })
      expect(help.out).toContain('tillit verify RECEIPT')
      expect(await tillit('--version')).toEqual({ status: 0, out: '0.1.0\n', err: '' })
      expect((await tillit('anchor', '--help')).out).toMatch(/^tillit anchor status /)
      const verified = await tillit('verify', 'receipt.json', '--offline', '--json')
      expect(verified).toMatchObject({ status: 0, err: '' })
      expect(JSON.parse(verified.out)).toMatchObject({ verified: true, index: 1, size: 2 })
      const refused = await tillit('verify', 'changed.json', '--offline')
      expect(refused).toMatchObject({ status: 1, out: '' })
      expect(refused.err).toContain('invalid-receipt: ')
    }
  })

  test('tillit makes a DID, changes it and resolves it, asking nobody', async () => {
    for (const [major, node] of nodes) {
      const tillit = (...args: string[]) => run(node, ['node_modules/.bin/tillit', 'did', ...args], outsider.folder)
      const files = ['--key', `did-${major}.json`, '--log', `did-${major}.jsonl`]
      const created = await tillit('create', 'city.example/dids/me', '--portable', ...files)
      expect(created).toMatchObject({ status: 0, err: '' })
      expect((await tillit('rotate', ...files)).status).toBe(0)
      expect((await tillit('move', 'town.example/people/me', ...files)).status).toBe(0)
      const moved = created.out.trim().replace('city.example:dids:me', 'town.example:people:me')
      const resolved = await tillit('resolve', moved, '--log', `did-${major}.jsonl`)
      expect(resolved).toMatchObject({ status: 0, err: '' })
      expect(JSON.parse(resolved.out)).toMatchObject({ didDocument: { id: moved } })
    }
  })

  test('tillit replays a log and follows it, finds what is wrong, and says where no city is', async () => {
    const log = await startLyingLog()
    try {
      await writeFile(join(outsider.folder, 'policy'), log.policy)
      for (const node of nodes.values()) {
        const tillit = (...args: string[]) => run(node, ['node_modules/.bin/tillit', ...args], outsider.folder)
        log.lies.clear()
        const sound = await tillit('fsck', log.url, '--policy', 'policy', '--json')
        expect(sound.status, sound.err).toBe(0)
        expect(JSON.parse(sound.out)).toMatchObject({ sound: true, size: log.size, counts: { dids: 3 } })
        const seen = await tillit('monitor', log.url, '--policy', 'policy', '--once')
        expect(seen).toMatchObject({ status: 0, out: expect.stringContaining(`first seen at ${log.size} entries`) })
        log.lies.set('/log/tile/0/000', (honest) => honest?.map((byte, at) => (at === 9 ? byte ^ 1 : byte)) ?? null)
        expect(await tillit('fsck', log.url)).toMatchObject({ status: 1, out: expect.stringContaining('tile-differs') })
        const noCity = await tillit('anchor', 'status', '--city', 'http://127.0.0.1:9')
        expect(noCity).toMatchObject({ status: 1, err: expect.stringContaining('There is no city') })
      }
    } finally {
      await log.stop()
    }
  })

  test('tillit reads a ledger', async () => {
    const log = await LyingLog.start()
    const anvil = await startAnvil({ dataDir: join(outsider.folder, 'anvil') })
    try {
      const ledger = await openEvmLedger({ rpcUrl: anvil.rpcUrl, account: anvilAccount() })
      log.addUnlisted(5)
      await log.publish({ anchored: true })
      const [head] = log.ledger
      const [named] = log.anchors
      if (head === undefined || named === undefined) throw new Error('the log has no anchor')
      const { transaction } = await ledger.anchor(head.root, head.size)
      log.anchors[0] = { ...named, contract: ledger.contract, transaction }
      const place = ['--contract', ledger.contract, '--ledger', anvil.rpcUrl]
      for (const node of nodes.values()) {
        const replayed = await run(node, ['node_modules/.bin/tillit', 'fsck', log.url, ...place], outsider.folder)
        expect(replayed).toMatchObject({
          status: 0,
          out: expect.stringContaining(`ledger (contract ${ledger.contract})`),
        })
      }
    } finally {
      await anvil.stop()
      await log.stop()
    }
  })

  test('tillit witnesses with both kinds of key on every Node, and each verifies what the others cosign', async () => {
    const { vkey, note, receiptUnder } = await logOfOne()
    for (const [major, node] of nodes) {
      const state = join(outsider.folder, `witness-${major}`)
      const init = ['witness', 'init', '--name', 'w.example', '--state', state]
      const made = await run(node, ['node_modules/.bin/tillit', ...init], outsider.folder)
      expect(made.status, made.err).toBe(0)
      const witness = await startInstalledWitness(node, { folder: outsider.folder, state, vkey })
      const reply = await fetch(`${witness.url}/add-checkpoint`, {
        ...{ method: 'POST', body: formatAddCheckpoint({ oldSize: 0, proof: [], note }) },
      })
      const cosigned = note + (await reply.text())
      expect(reply.status, cosigned).toBe(200)
      expect(await witness.stop()).toBe(0)
      const both = 'group both all w.example w.example/ml-dsa-44\nquorum both\n'
      await writeFile(join(outsider.folder, `policy-${major}`), `log ${vkey}\n${made.out}${both}`)
      await writeFile(join(outsider.folder, `cosigned-${major}`), receiptUnder(cosigned))
      await writeFile(join(outsider.folder, `forged-${major}`), receiptUnder(withLastSignatureChanged(cosigned)))
    }
    for (const node of nodes.values()) {
      for (const by of nodes.keys()) {
        const verify = ['node_modules/.bin/tillit', 'verify', '--policy', `policy-${by}`]
        const verified = await run(node, [...verify, `cosigned-${by}`], outsider.folder)
        expect(verified).toMatchObject({ status: 0, out: expect.stringContaining('w.example, w.example/ml-dsa-44') })
        const forged = await run(node, [...verify, `forged-${by}`], outsider.folder)
        expect(forged).toMatchObject({ status: 1, out: '', err: expect.stringContaining('invalid-checkpoint: ') })
      }
    }
  })

  test('the client verifies a receipt and a delegation chain, and signs', async () => {
    for (const node of nodes.values()) await expectFindings(node, 'outsider.mjs')
  })

  test('the browser’s build holds nothing of Node and finds the same', async () => {
    const lib = { entry: 'outsider.mjs', formats: ['es'], fileName: 'page' }
    const config = { logLevel: 'warn', build: { lib, outDir: 'page', target: 'es2023', minify: false } }
    await writeFile(join(outsider.folder, 'vite.config.mjs'), `export default ${JSON.stringify(config)}`)
    const built = await run(process.execPath, [join(root, 'node_modules/vite/bin/vite.js'), 'build'], outsider.folder)
    // Vite warns of every module of Node that it leaves out.
    expect(built).toMatchObject({ status: 0, err: '' })
    const [file = '', ...others] = await readdir(join(outsider.folder, 'page'))
    expect(others).toEqual([])
    const text = await readFile(join(outsider.folder, 'page', file), 'utf8')
    expect(
      text.match(/.*(["']node:|["'](crypto|fs|util|buffer)["']|browser[-_]external|\brequire\().*/g) ?? [],
    ).toEqual([])
    await expectFindings(process.execPath, join('page', file))
  })

  test('the types and the examples of the README hold together', async () => {
    const readme = (await inTarball('client', 'package/README.md')).out
    const examples = [...readme.matchAll(/```ts\n(.*?)```/gs)].map(([, code = '']) => code)
    expect(examples).toHaveLength(4)
    const names = examples.map((_, i) => `example-${i}.ts`)
    for (const [i, name] of names.entries()) await writeFile(join(outsider.folder, name), examples[i] ?? '')
    const compilerOptions = {
      ...{ strict: true, module: 'nodenext', target: 'es2023', noEmit: true, skipLibCheck: false },
      ...{ types: ['node'], typeRoots: [join(root, 'node_modules/@types')] },
    }
    await writeFile(join(outsider.folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: names }))
    const checked = await run(join(root, 'node_modules/.bin/tsc'), ['-p', outsider.folder], outsider.folder)
    expect(checked).toMatchObject({ status: 0, out: '' })
  })
})

async function expectFindings(node: string, program: string): Promise<void> {
  const { status, out, err } = await run(node, [program], outsider.folder)
  expect({ status, err }).toEqual({ status: 0, err: '' })
  expect(JSON.parse(out)).toEqual({
    ...{ index: 1, size: 2, delegatee: 'did:web:cloud.example', granularity: 'P1D' },
    ...{ otherLog: 'invalid-checkpoint', cutChain: 'invalid-delegation', signs: true },
  })
}
