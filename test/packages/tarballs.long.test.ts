import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { installedNodes, installTarballs, type Outsider, root, run } from './install-tarballs.ts'

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
      const verified = await tillit('verify', 'receipt.json', '--offline', '--json')
      expect(verified).toMatchObject({ status: 0, err: '' })
      expect(JSON.parse(verified.out)).toMatchObject({ verified: true, index: 1, size: 2 })
      const refused = await tillit('verify', 'changed.json', '--offline')
      expect(refused).toMatchObject({ status: 1, out: '' })
      expect(refused.err).toContain('invalid-receipt: ')
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
    expect(examples).toHaveLength(3)
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
