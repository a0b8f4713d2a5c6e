import { execFile } from 'node:child_process'
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { makeReceipt } from '../../packages/cli/src/receipt.fixture.ts'
import { makeChain } from './chain.fixture.ts'

export const root = fileURLToPath(new URL('../../', import.meta.url))
const registryOutOfReach = /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENOTCACHED|\bE(401|403|407|5\d\d)\b/

export interface Ran {
  status: number
  out: string
  err: string
}

export interface Outsider {
  folder: string
  /** Path of each tarball by the name of its package. */
  tarballs: Record<'client' | 'cli', string>
  /** Why nothing could be installed; null when it was. */
  missing: string | null
  close(): Promise<void>
}

/** A project outside of ours with the two tarballs installed, and evidence to verify: `outsider.mjs`, `receipt.json`. */
export async function installTarballs(): Promise<Outsider> {
  const folder = await mkdtemp(join(tmpdir(), 'tillit-tarballs-'))
  const tarballs = { client: await pack('client', folder), cli: await pack('cli', folder) }
  const receipt = await makeReceipt({ anchored: true })
  const evidence = `export const receipt = ${JSON.stringify(receipt)}\nexport const delegation = ${JSON.stringify(await makeChain())}\n`
  const changed = { ...receipt, opening: { ...receipt.opening, entry: { ...receipt.opening.entry, values: 1 } } }
  await writeFile(join(folder, 'package.json'), JSON.stringify({ name: 'outsider', private: true, type: 'module' }))
  await writeFile(join(folder, 'receipt.json'), JSON.stringify(receipt))
  await writeFile(join(folder, 'changed.json'), JSON.stringify(changed))
  await writeFile(join(folder, 'evidence.mjs'), evidence)
  await copyFile(join(root, 'test/packages/outsider.mjs'), join(folder, 'outsider.mjs'))
  const options = ['--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts']
  const installed = await run('npm', ['install', ...options, tarballs.client, tarballs.cli], folder)
  if (installed.status !== 0 && !registryOutOfReach.test(installed.err)) throw new Error(installed.err)
  return {
    ...{ folder, tarballs },
    missing: installed.status === 0 ? null : `npm cannot reach its registry: ${installed.err.slice(0, 400)}`,
    close: () => rm(folder, { recursive: true, force: true }),
  }
}

async function pack(name: string, folder: string): Promise<string> {
  const packed = await run(process.execPath, ['infra/pack/pack.ts', name, '--out', folder], root)
  if (packed.status !== 0) throw new Error(packed.err)
  return packed.out.trim()
}

export function run(command: string, args: string[], cwd: string): Promise<Ran> {
  return new Promise((resolve) => {
    execFile(command, args, { cwd, maxBuffer: 2 ** 25 }, (error, out, err) => {
      resolve({ status: error === null ? 0 : typeof error.code === 'number' ? error.code : -1, out, err })
    })
  })
}

/** The Node that runs this, and others on the PATH that the packages say they run on, one of each major version. */
export async function installedNodes(): Promise<Map<number, string>> {
  const folders = (process.env.PATH ?? '').split(delimiter)
  const found = new Map([[majorOf(process.version), process.execPath]])
  for (const node of [...new Set(folders)].map((path) => join(path, 'node'))) {
    const { status, out } = await run(node, ['--version'], dirname(process.execPath))
    const major = majorOf(out)
    if (status === 0 && major >= 20 && !found.has(major)) found.set(major, node)
  }
  return found
}

function majorOf(version: string): number {
  return Number(/^v(\d+)/.exec(version)?.[1] ?? 0)
}
