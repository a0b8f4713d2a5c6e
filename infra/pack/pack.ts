import { execFile } from 'node:child_process'
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs, promisify } from 'node:util'
import { bundle } from './bundle.ts'
import { emitDeclarations } from './declarations.ts'
import { dependenciesOf, readManifest } from './manifests.ts'

/** The oldest Node that the published code runs on; test/packages proves it where the machine has a Node 20. */
const engines = { node: '>=20.19.0' }
const run = promisify(execFile)
const root = fileURLToPath(new URL('../../', import.meta.url))

const usage = 'pack.ts client|cli --out DIR: makes the npm tarball of a package and prints its path'

/** What goes into a package: given the folder that is packed, gives its part of the manifest and the modules it imports. */
type Build = (folder: string) => Promise<{ manifest: Record<string, unknown>; imports: Set<string> }>

const builds: Record<string, Build> = { client: buildClient, cli: buildCli }

async function buildClient(folder: string): Promise<Awaited<ReturnType<Build>>> {
  const input = join(root, 'packages/client/src/index.ts')
  const node = await bundle({ root, input, dir: join(folder, 'dist/node'), platform: 'node' })
  const browser = await bundle({ root, input, dir: join(folder, 'dist/browser'), platform: 'browser' })
  const { entry, imports } = await emitDeclarations({ root, input, folder, into: 'types' })
  const exports = { '.': { types: entry, browser: './dist/browser/index.js', default: './dist/node/index.js' } }
  return {
    manifest: { exports, files: ['dist', 'types'], sideEffects: false },
    imports: new Set([...node, ...browser, ...imports]),
  }
}

async function buildCli(folder: string): Promise<Awaited<ReturnType<Build>>> {
  const input = join(root, 'packages/cli/src/main.ts')
  const imports = await bundle({ root, input, dir: join(folder, 'dist'), platform: 'node' })
  await mkdir(join(folder, 'bin'))
  await copyFile(join(root, 'infra/pack/tillit.mjs'), join(folder, 'bin/tillit.mjs'))
  return { manifest: { bin: { tillit: 'bin/tillit.mjs' }, files: ['bin', 'dist'] }, imports }
}

/** Builds in a folder of its own, so that a crash leaves nothing but that; the tarball appears as a whole. */
async function pack(name: string, build: Build, outDir: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'tillit-pack-'))
  try {
    const { manifest, imports } = await build(folder)
    const source = await readManifest(join(root, 'packages', name))
    const published = {
      ...{ name: source.name, version: source.version, description: source.description, license: source.license },
      ...{ type: source.type, engines, ...manifest, dependencies: await dependenciesOf(root, imports) },
    }
    await writeFile(join(folder, 'package.json'), `${JSON.stringify(published, null, 2)}\n`)
    await copyFile(join(root, 'LICENSE'), join(folder, 'LICENSE'))
    await copyFile(join(root, 'packages', name, 'README.md'), join(folder, 'README.md'))
    await mkdir(outDir, { recursive: true })
    const { stdout } = await run('npm', ['pack', '--json', '--loglevel=error', '--pack-destination', outDir], {
      cwd: folder,
    })
    const [made] = JSON.parse(stdout) as { filename: string }[]
    if (made === undefined) throw new Error('npm pack names no tarball')
    return join(outDir, made.filename)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const { values, positionals } = parseArgs({ allowPositionals: true, options: { out: { type: 'string' } } })
const [name = ''] = positionals
const build = builds[name]
if (build === undefined || values.out === undefined || positionals.length !== 1) {
  console.error(usage)
  process.exitCode = 2
} else {
  console.log(await pack(name, build, resolve(values.out)))
}
