import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

export interface Workspace {
  name: string
  folder: string
  declared: Set<string>
  /** For each file: the packages it imports, by name. */
  imports: Map<string, Set<string>>
}

const roots = ['schemas', ...foldersIn('packages'), ...foldersIn('services')]
const importPattern =
  /(?:^|\n)\s*(?:import|export)\b[^'"]*?from\s*['"]([^'"]+)['"]|(?:^|\n)\s*import\s*['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]/g

/** The workspaces as their files and manifests stand. */
export function readWorkspaces(): Workspace[] {
  return roots.map((folder) => {
    const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest
    const declared = new Set(
      [manifest.dependencies, manifest.devDependencies, manifest.optionalDependencies].flatMap((group) =>
        Object.keys(group ?? {}),
      ),
    )
    const imports = new Map(sourcesIn(folder).map((file) => [file, packagesIn(readFileSync(file, 'utf8'))]))
    return { name: manifest.name, folder, declared, imports }
  })
}

interface Manifest {
  name: string
  dependencies?: Record<string, string>
  devDependencies?: Record<string, string>
  optionalDependencies?: Record<string, string>
}

/** Package names only: relative paths and our own `#` imports are not among them, `node:` modules are. */
function packagesIn(text: string): Set<string> {
  const names = new Set<string>()
  for (const [, from, bare, dynamic] of text.matchAll(importPattern)) {
    const specifier = from ?? bare ?? dynamic ?? ''
    if (specifier.startsWith('.') || specifier.startsWith('#') || specifier === '') continue
    names.add(specifier.startsWith('node:') ? specifier : nameOf(specifier))
  }
  return names
}

function nameOf(specifier: string): string {
  const parts = specifier.split('/')
  return specifier.startsWith('@') ? parts.slice(0, 2).join('/') : (parts[0] ?? '')
}

function foldersIn(root: string): string[] {
  return readdirSync(root)
    .map((name) => join(root, name))
    .filter((folder) => statSync(folder).isDirectory())
}

function sourcesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.(ts|tsx|mjs)$/.test(file) && !/(^|\/)(node_modules|dist)\//.test(file))
    .map((file) => join(folder, file))
}

export function isTest(file: string): boolean {
  return /\.(test|fixture)\.ts$/.test(file) || /\/(test|testing)\//.test(file)
}
