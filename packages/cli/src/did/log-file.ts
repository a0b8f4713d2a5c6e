import { readFile } from 'node:fs/promises'
import { type DidState, formatDidLog, parseDidLog, verifyDidLog } from '@tillit/client'
import type { DidLogEntry } from '@tillit/schemas'
import { UsageError } from '../usage-error.ts'
import { writePrivately } from './key-file.ts'

export interface OpenLog {
  readonly entries: readonly DidLogEntry[]
  readonly state: DidState
}

/** The log as it stands in the file, verified; null when there is no such file. */
export async function readLogFile(path: string): Promise<OpenLog | null> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw error
  }
  const entries = parseDidLog(text)
  return { entries, state: verifyDidLog(entries, { now: new Date() }) }
}

export async function openLogFile(path: string): Promise<OpenLog> {
  const log = await readLogFile(path)
  if (log === null)
    throw new UsageError(`${path} is not there. Name the log with --log FILE, or make one: tillit did create.`)
  return log
}

/** The log of an unlisted DID is only for those to whom it is given, so the file is private like the keys. */
export function writeLogFile(path: string, entries: readonly DidLogEntry[]): Promise<void> {
  return writePrivately(path, formatDidLog(entries))
}
