import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { UsageError } from '../usage-error.ts'

/** Longest record: far above any line of a customer register, and a bound where a quote is never closed. */
const maxRecordCharacters = 64 * 1024

export interface TableRow {
  /** Counts records after the header, from 1. */
  line: number
  cells: Readonly<Record<string, string>>
}

/** A CSV file (RFC 4180, with `,` or `;`) whose first record names the columns. Empty cells are left out. Throws UsageError. */
export async function* readTable(file: string): AsyncGenerator<TableRow> {
  let columns: string[] | null = null
  let separator = ','
  let line = 0
  for await (const text of recordsOf(file)) {
    if (columns === null) {
      separator = text.includes(';') && !text.includes(',') ? ';' : ','
      columns = cellsOf(text, separator).map((name) => name.trim())
      if (columns.some((name, i) => name === '' || columns?.indexOf(name) !== i))
        throw new UsageError(`The first line of ${file} does not name each column once.`)
      continue
    }
    if (text === '') continue
    line++
    const cells = cellsOf(text, separator)
    if (cells.length !== columns.length)
      throw new UsageError(`Line ${line} of ${file} has ${cells.length} cells in place of ${columns.length}.`)
    const named = columns.map((name, i) => [name, (cells[i] ?? '').trim()] as const)
    yield { line, cells: Object.fromEntries(named.filter(([, cell]) => cell !== '')) }
  }
  if (columns === null) throw new UsageError(`${file} is empty.`)
}

/** How many rows a file has, and the digest that tells whether it is the same again. Throws UsageError. */
export async function surveyTable(file: string): Promise<{ rows: number; sha256: string }> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(file)) hash.update(chunk)
  let rows = 0
  for await (const { line } of readTable(file)) rows = line
  return { rows, sha256: hash.digest('hex') }
}

/** A cell as it stands in such a file. */
export function toCell(text: string): string {
  return /[",;\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

/** Records end where a line ends outside of quotes. */
async function* recordsOf(file: string): AsyncGenerator<string> {
  let rest = ''
  let first = true
  for await (const chunk of createReadStream(file, 'utf8')) {
    rest += first ? String(chunk).replace(/^\uFEFF/, '') : chunk
    first = false
    for (let end = endOfRecord(rest); end >= 0; end = endOfRecord(rest)) {
      yield rest.slice(0, end).replace(/\r$/, '')
      rest = rest.slice(end + 1)
    }
    if (rest.length > maxRecordCharacters) throw new UsageError(`${file} has a quote that is not closed.`)
  }
  if (rest !== '') yield rest.replace(/\r$/, '')
}

function endOfRecord(text: string): number {
  let quoted = false
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '"') quoted = !quoted
    else if (text[at] === '\n' && !quoted) return at
  }
  return -1
}

function cellsOf(record: string, separator: string): string[] {
  const cells: string[] = []
  let cell = ''
  let quoted = false
  for (let at = 0; at < record.length; at++) {
    const character = record[at]
    if (character === '"') {
      // Two quotes within quotes are one.
      if (quoted && record[at + 1] === '"') {
        cell += '"'
        at++
      } else quoted = !quoted
    } else if (character === separator && !quoted) {
      cells.push(cell)
      cell = ''
    } else cell += character
  }
  cells.push(cell)
  return cells
}
