import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { promisify } from 'node:util'

const specifier = /(\bfrom\s*|\bimport\s*\(\s*|\bimport\s+)(['"])([^'"]+)\2/g

/**
 * Type declarations of an entry and of the workspaces behind it, as a tree of files under `folder`/`into` that imports
 * nothing of ours by package name. Gives the entry's path for the manifest, and the foreign modules that types come from.
 */
export async function emitDeclarations({
  root,
  input,
  folder,
  into,
}: {
  root: string
  input: string
  folder: string
  into: string
}): Promise<{ entry: string; imports: Set<string> }> {
  const workspaces = await workspaceEntries(root)
  const emitted = await mkdtemp(join(tmpdir(), 'tillit-types-'))
  try {
    await emit({ root, input, workspaces, outDir: emitted })
    const first = relative(root, input).replace(/\.ts$/, '.d.ts')
    const imports = new Set<string>()
    const wanted = [first]
    // Only what the entry leads to is published.
    for (const file of wanted) {
      const text = await readFile(join(emitted, file), 'utf8')
      const rewritten = text.replace(specifier, (_, before: string, quote: string, name: string) => {
        const target = ownFile(name, { file, root, workspaces })
        if (target === null) imports.add(name)
        else if (!wanted.includes(target)) wanted.push(target)
        return `${before}${quote}${target === null ? name : pathBetween(file, target)}${quote}`
      })
      await mkdir(dirname(join(folder, into, file)), { recursive: true })
      await writeFile(join(folder, into, file), rewritten)
    }
    return { entry: `./${into}/${first}`, imports }
  } finally {
    await rm(emitted, { recursive: true, force: true })
  }
}

/** The declaration file that an import of ours leads to, from the root; null for a foreign module. */
function ownFile(
  name: string,
  { file, root, workspaces }: { file: string; root: string; workspaces: Map<string, string> },
): string | null {
  const [workspace = ''] = file.split('/src/')
  const source = name.startsWith('.')
    ? join(dirname(file), name)
    : workspaces.get(name.startsWith('#') ? workspace + name : name)
  if (source === undefined) return null
  return relative(root, join(root, source)).replace(/\.ts$/, '.d.ts')
}

function pathBetween(file: string, target: string): string {
  const path = relative(dirname(file), target).replace(/\.d\.ts$/, '.js')
  return path.startsWith('.') ? path : `./${path}`
}

async function emit(options: {
  root: string
  input: string
  workspaces: Map<string, string>
  outDir: string
}): Promise<void> {
  const { root, input, workspaces, outDir } = options
  const project = join(outDir, 'tsconfig.json')
  const compilerOptions = {
    ...{ noEmit: false, declaration: true, emitDeclarationOnly: true, outDir, rootDir: root },
    typeRoots: [join(root, 'node_modules/@types')],
    // By path and not through node_modules, whose sources the compiler emits no declarations for.
    paths: Object.fromEntries(
      [...workspaces].filter(([name]) => name.startsWith('@')).map(([name, source]) => [name, [join(root, source)]]),
    ),
  }
  const config = { extends: join(root, 'tsconfig.json'), compilerOptions, include: [], exclude: [], files: [input] }
  await writeFile(project, JSON.stringify(config))
  await promisify(execFile)(join(root, 'node_modules/.bin/tsc'), ['-p', project], { cwd: root })
}

/** The file behind each name of ours, from the root: `@tillit/codec`, and `packages/codec#digest` for what a package imports itself. */
async function workspaceEntries(root: string): Promise<Map<string, string>> {
  const packages = (await readdir(join(root, 'packages'))).map((name) => join('packages', name))
  const entries = new Map<string, string>()
  for (const folder of ['schemas', ...packages]) {
    const { name, imports = {} } = JSON.parse(await readFile(join(root, folder, 'package.json'), 'utf8')) as {
      name: string
      imports?: Record<string, { default: string }>
    }
    entries.set(name, join(folder, 'src/index.ts'))
    // Both platforms' files declare the same.
    for (const [inner, files] of Object.entries(imports)) entries.set(folder + inner, join(folder, files.default))
  }
  return entries
}
