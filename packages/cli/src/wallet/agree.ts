import { createInterface } from 'node:readline/promises'
import { UsageError } from '../usage-error.ts'

/**
 * Shows what would happen and asks whether it shall. Without a terminal nobody can be asked: then only --yes says so. Throws
 * UsageError.
 */
export async function agree(question: string, { yes }: { yes: boolean }): Promise<boolean> {
  if (yes) return true
  if (!process.stdin.isTTY) throw new UsageError(`${question} Nobody is there to answer; add --yes to agree.`)
  return /^y(es)?$/i.test((await ask(`${question} [y/N] `)).trim())
}

/** Asks for a text on the terminal, on standard error, so that the output stays clean. */
export async function ask(question: string): Promise<string> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  try {
    return await terminal.question(question)
  } finally {
    terminal.close()
  }
}
