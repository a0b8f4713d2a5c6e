import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const service = fileURLToPath(new URL('../', import.meta.url))
const project = fileURLToPath(new URL('../../../', import.meta.url))

/** Where the built page is kept unless somebody says otherwise. */
export const defaultPageFolder: string = join(service, 'dist')

/** Everything that ends up in the page: when none of it changed, neither did the page. */
const sources = [
  'services/portal/app',
  'services/portal/src/build-page.ts',
  'package-lock.json',
  'schemas/src',
  'schemas/purposes.json',
  ...['problem', 'codec', 'keys', 'did', 'log', 'credential', 'policy', 'metering', 'client'].map(
    (name) => `packages/${name}/src`,
  ),
]
const hashFile = '.sources-sha256'
const maxReplaceAttempts = 5

export interface BuildOptions {
  /** Default: services/portal/dist. */
  outDir?: string
}

/**
 * Builds the citizen's page with Vite when its sources changed since the last time, which takes seconds, and else does
 * nothing. Gives the folder and whether it was built now. A crash in the middle leaves the former page.
 */
export async function buildPortal({ outDir = defaultPageFolder }: BuildOptions = {}): Promise<{
  folder: string
  built: boolean
}> {
  const wanted = await hashOfSources()
  if ((await builtFrom(outDir)) === wanted) return { folder: outDir, built: false }
  // Beside the page, so that it is the same file system; git ignores the folder, should a crash leave something in it.
  const cache = join(dirname(outDir), '.cache')
  await mkdir(cache, { recursive: true })
  const partial = await mkdtemp(join(cache, 'page-'))
  try {
    // A process of its own: the bundler's memory is given back, and its changes to the environment stay there.
    await promisify(execFile)(process.execPath, [join(service, 'src/build-page.ts'), partial], {
      env: { ...process.env, NODE_ENV: 'production' },
    })
    await writeFile(join(partial, hashFile), wanted)
    await replace(outDir, partial)
  } finally {
    await rm(partial, { recursive: true, force: true })
  }
  return { folder: outDir, built: true }
}

/** Puts the folder `next` in the place of `outDir`. Several processes may do so at once: the last one stays. */
async function replace(outDir: string, next: string): Promise<void> {
  const former = `${next}.former`
  for (let attempt = 1; ; attempt++) {
    try {
      return await rename(next, outDir)
    } catch (error) {
      if (attempt === maxReplaceAttempts || !hasCode(error, ['ENOTEMPTY', 'EEXIST'])) throw error
    }
    await rename(outDir, former).catch((error) => {
      if (!hasCode(error, ['ENOENT'])) throw error // somebody else moved it away meanwhile
    })
    await rm(former, { recursive: true, force: true })
  }
}

async function builtFrom(folder: string): Promise<string | null> {
  return readFile(join(folder, hashFile), 'utf8').catch((error) => {
    if (hasCode(error, ['ENOENT'])) return null
    throw error
  })
}

async function hashOfSources(): Promise<string> {
  const hash = createHash('sha256')
  for (const source of sources) {
    for (const file of await filesOf(join(project, source))) {
      const content = await readFile(file)
      hash.update(`${file.slice(project.length)}\n${content.length}\n`).update(content)
    }
  }
  return hash.digest('hex')
}

async function filesOf(path: string): Promise<string[]> {
  if (/\.\w+$/.test(path)) return [path]
  const entries = await readdir(path, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile() && !entry.name.endsWith('.test.ts'))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
}

function hasCode(error: unknown, codes: string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code))
}
