import { copyFileSync, existsSync, readFileSync, renameSync } from 'node:fs'
import { join } from 'node:path'

/** The files of an embedded chain. */
export function stateFiles(dataDir: string) {
  return {
    current: join(dataDir, 'state.json'),
    previous: join(dataDir, 'state.previous.json'),
    pid: join(dataDir, 'anvil.pid'),
  }
}

/**
 * Makes the state file fit to start from: a sound one is kept as the previous one, a damaged one (anvil was killed while
 * writing it, the disk was full) is put aside and the previous one takes its place, or the chain starts empty. The log
 * is then anchored again: the ledger is never the source of truth. Gives what was put aside, or null.
 */
export function prepareState(dataDir: string): string | null {
  const { current, previous } = stateFiles(dataDir)
  if (!existsSync(current)) return null
  if (isSound(current)) {
    copyFileSync(current, previous)
    return null
  }
  const aside = putAside(dataDir)
  if (existsSync(previous) && isSound(previous)) copyFileSync(previous, current)
  return aside
}

/** Renames the state file so that the chain starts without it. Gives the new name. */
export function putAside(dataDir: string): string {
  const { current } = stateFiles(dataDir)
  let n = 1
  while (existsSync(`${current}.damaged-${n}`)) n++
  const aside = `${current}.damaged-${n}`
  renameSync(current, aside)
  return aside
}

function isSound(file: string): boolean {
  try {
    const state: unknown = JSON.parse(readFileSync(file, 'utf8'))
    return typeof state === 'object' && state !== null && 'accounts' in state && 'block' in state
  } catch {
    return false
  }
}
