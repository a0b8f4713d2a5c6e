import { randomBytes } from 'node:crypto'
import { type FileHandle, open } from 'node:fs/promises'
import { encodeId, idBytes } from '@tillit/codec'
import { UsageError } from '../usage-error.ts'

/** What a run is about: another one may not go on in its file. */
export interface RunSubject {
  city: string
  what: 'credentials' | 'offers'
  type: string
  /** Of the table. */
  sha256: string
}

/**
 * The file of what a run has issued: a head, then a line of JSON for each. Whatever is in it is not issued again, so a run that was
 * cut off goes on in it.
 */
export interface RunFile {
  run: string
  done: ReadonlySet<number>
  /** On the disk when it returns. */
  append(entries: readonly { line: number }[]): Promise<void>
  close(): Promise<void>
}

/** Begins the file, readable by its owner only, or goes on where it ends. Throws UsageError when it is of another run. */
export async function openRunFile(path: string, subject: RunSubject): Promise<RunFile> {
  const file = await open(path, 'a+', 0o600)
  try {
    const text = await file.readFile('utf8')
    const [head = '', ...entries] = text.split('\n')
    const run = text === '' ? await begin(file, subject) : runOf(head, subject, path)
    // What a crash left of the last line is issued again.
    const torn = entries.pop() ?? ''
    if (torn !== '') await file.truncate(Buffer.byteLength(text) - Buffer.byteLength(torn))
    let writing: Promise<void> = Promise.resolve()
    const write = async (text: string) => {
      await file.appendFile(text)
      await file.datasync()
    }
    return {
      run,
      done: new Set(entries.map((entry) => Number(JSON.parse(entry).line))),
      // One after the other: a long text takes several writes, between which another would come.
      append: (entries) => {
        const text = entries.map((entry) => `${JSON.stringify(entry)}\n`).join('')
        writing = writing.then(() => write(text))
        return writing
      },
      close: () => file.close(),
    }
  } catch (error) {
    await file.close()
    throw error
  }
}

async function begin(file: FileHandle, subject: RunSubject): Promise<string> {
  const run = encodeId('run', new Uint8Array(randomBytes(idBytes)))
  await file.appendFile(`${JSON.stringify({ run, ...subject })}\n`)
  // The city knows the run by this name: it must not be lost before the first line is issued.
  await file.datasync()
  return run
}

function runOf(head: string, subject: RunSubject, path: string): string {
  const { run, ...known } = parse(head)
  const same = Object.entries(subject).every(([name, value]) => known[name] === value)
  if (typeof run === 'string' && same) return run
  throw new UsageError(`${path} is of another run: of another table, type or city. Give --out another name.`)
}

/** Nothing for a head that is not ours: text of another kind, or JSON that is no object. */
function parse(head: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(head)
    return value !== null && typeof value === 'object' ? { ...value } : {}
  } catch {
    return {}
  }
}
