import { accessSync, constants } from 'node:fs'
import { createRequire } from 'node:module'
import { delimiter, dirname, join } from 'node:path'

/** Said, loudly, when the log has to run unanchored. */
export const anvilMissing =
  'No ledger: the anvil binary is neither installed from npm for this platform nor on PATH. The log runs UNANCHORED: ' +
  'install Foundry, or set LEDGER_RPC_URL to an EVM chain.'

/** The path of the anvil binary: the npm package of this platform, else PATH, else null. */
export function findAnvil(environmentPath: string = process.env.PATH ?? ''): string | null {
  const arch = process.arch === 'x64' ? 'amd64' : process.arch
  const candidates = [...packaged(`@foundry-rs/anvil-${process.platform}-${arch}`)]
  for (const folder of environmentPath.split(delimiter)) if (folder !== '') candidates.push(join(folder, 'anvil'))
  return candidates.find(isExecutable) ?? null
}

function packaged(name: string): string[] {
  try {
    return [join(dirname(createRequire(import.meta.url).resolve(`${name}/package.json`)), 'bin', 'anvil')]
  } catch {
    // Not installed: an optional dependency whose absence the caller reports.
    return []
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
