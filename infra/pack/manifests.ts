import { readdir, readFile } from 'node:fs/promises'
import { builtinModules } from 'node:module'
import { join } from 'node:path'

export interface Manifest {
  name: string
  version: string
  description?: string
  license: string
  type: string
  dependencies?: Record<string, string>
}

export async function readManifest(folder: string): Promise<Manifest> {
  return JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as Manifest
}

/** The packages behind the imported modules, each in the version that the manifests of our workspaces name. */
export async function dependenciesOf(root: string, modules: Iterable<string>): Promise<Record<string, string>> {
  const versions = await versionsInWorkspaces(root)
  const names = new Set([...modules].filter((module) => !isOfNode(module)).map(packageOf))
  return Object.fromEntries(
    [...names].sort().map((name) => {
      const version = versions.get(name)
      if (version === undefined) throw new Error(`no workspace names a version of ${name}`)
      return [name, version]
    }),
  )
}

async function versionsInWorkspaces(root: string): Promise<Map<string, string>> {
  const packages = (await readdir(join(root, 'packages'))).map((name) => join(root, 'packages', name))
  const versions = new Map<string, string>()
  for (const folder of [join(root, 'schemas'), ...packages]) {
    for (const [name, version] of Object.entries((await readManifest(folder)).dependencies ?? {})) {
      const other = versions.get(name)
      if (other !== undefined && other !== version) throw new Error(`${name} is both ${other} and ${version}`)
      versions.set(name, version)
    }
  }
  return versions
}

function isOfNode(module: string): boolean {
  return module.startsWith('node:') || builtinModules.includes(module)
}

/** `@noble/curves/nist.js` is of the package `@noble/curves`. */
function packageOf(module: string): string {
  return module
    .split('/')
    .slice(0, module.startsWith('@') ? 2 : 1)
    .join('/')
}
