import { Problem } from '@tillit/problem'

/** Where the columns stand in each row. */
export interface CsvColumns {
  separator: ',' | ';' | '\t'
  start: number
  value: number
  quality: number | undefined
}

const startNames = ['start', 'start_time', 'timestamp', 'datetime', 'time']
const valueNames = ['value', 'consumption', 'energy', 'usage', 'kwh']

/** Settles the columns from the first line: a header, or a first row of start and value. Throws Problem invalid-file. */
export function columnsOf(
  firstLine: string,
  stampOf: (cell: string) => unknown,
): { columns: CsvColumns; isHeader: boolean } {
  const separator = firstLine.includes(';') ? ';' : firstLine.includes('\t') ? '\t' : ','
  const cells = splitCsvRow(firstLine, separator)
  if (stampOf(cells[0] ?? '') !== undefined) {
    const quality = cells.length > 2 ? 2 : undefined
    return { columns: { separator, start: 0, value: 1, quality }, isHeader: false }
  }
  const names = cells.map((cell) => cell.toLowerCase())
  const start = names.findIndex((name) => startNames.includes(name))
  const value = names.findIndex((name) => valueNames.includes(name))
  if (start < 0 || value < 0)
    throw new Problem('invalid-file', {
      detail: 'The first line names no columns "start" and "value"',
      pointer: 'line:1',
    })
  const quality = names.indexOf('quality')
  return { columns: { separator, start, value, quality: quality < 0 ? undefined : quality }, isHeader: true }
}

/** Cells of one row, trimmed; RFC 4180 quotes are taken off (no line breaks within quotes). */
export function splitCsvRow(text: string, separator: CsvColumns['separator']): string[] {
  if (!text.includes('"')) return text.split(separator).map((cell) => cell.trim())
  const cells: string[] = []
  let cell = ''
  let quoted = false
  for (let i = 0; i < text.length; i++) {
    const character = text.charAt(i)
    if (character === '"') {
      if (quoted && text.charAt(i + 1) === '"') cell += text.charAt(i++)
      else quoted = !quoted
    } else if (character === separator && !quoted) {
      cells.push(cell.trim())
      cell = ''
    } else cell += character
  }
  cells.push(cell.trim())
  return cells
}
