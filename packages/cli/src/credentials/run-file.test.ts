import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readTable, surveyTable, type TableRow, toCell } from './read-table.ts'
import { openRunFile } from './run-file.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tillit-table-'))
})
afterAll(() => rm(folder, { recursive: true }))

async function rowsOf(text: string): Promise<TableRow[]> {
  const file = join(folder, 'table.csv')
  await writeFile(file, text)
  const rows: TableRow[] = []
  for await (const row of readTable(file)) rows.push(row)
  return rows
}

describe('a table', () => {
  test('names its columns in the first line, and leaves out empty cells', async () => {
    expect(await rowsOf('holder,gsrn,role\r\ndid:key:z1,,holder\r\n\r\ndid:key:z2,7,\r\n')).toEqual([
      { line: 1, cells: { holder: 'did:key:z1', role: 'holder' } },
      { line: 2, cells: { holder: 'did:key:z2', gsrn: '7' } },
    ])
  })

  test('may come from a spreadsheet: semicolons, a byte order mark, quotes', async () => {
    expect(await rowsOf('\uFEFFholder;note\n"a";"b;c ""d"""\n"e\nf";g')).toEqual([
      { line: 1, cells: { holder: 'a', note: 'b;c "d"' } },
      { line: 2, cells: { holder: 'e\nf', note: 'g' } },
    ])
  })

  test('gives back every cell that was written into it', async () => {
    const cell = fc.string({ minLength: 1, unit: 'grapheme' }).map((text) => text.trim())
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(cell, cell), { minLength: 1, maxLength: 5 }), async (pairs) => {
        const kept = pairs.filter(([a, b]) => a !== '' && b !== '')
        const text = kept.map(([a, b]) => `${toCell(a)},${toCell(b)}\n`).join('')
        const rows = await rowsOf(`one,two\n${text}`)
        expect(rows.map(({ cells }) => [cells.one, cells.two])).toEqual(kept)
      }),
      { numRuns: 60 },
    )
  })

  test.each([
    ['', 'is empty'],
    ['a,a\n1,2\n', 'does not name each column once'],
    ['a,\n1,2\n', 'does not name each column once'],
    ['a,b\n1\n', 'has 1 cells in place of 2'],
    [`a\n"${'x'.repeat(70_000)}`, 'a quote that is not closed'],
  ])('that is none is refused (%#)', async (text, what) => {
    await expect(rowsOf(text)).rejects.toThrow(what)
  })

  test('is the same again when its digest is', async () => {
    const file = join(folder, 'survey.csv')
    await writeFile(file, 'a\n1\n2\n')
    const first = await surveyTable(file)
    expect(first.rows).toBe(2)
    await writeFile(file, 'a\n1\n3\n')
    expect((await surveyTable(file)).sha256).not.toBe(first.sha256)
  })
})

describe('the file of a run', () => {
  const subject = {
    city: 'http://city.test',
    what: 'credentials',
    type: 'MeteringPointEntitlement',
    sha256: 'x',
  } as const

  test('is for its owner only, and a run goes on in it under the same name', async () => {
    const path = join(folder, 'run.jsonl')
    const first = await openRunFile(path, subject)
    expect(first.run).toMatch(/^run_[A-Za-z0-9_-]{22}$/)
    await first.append([{ line: 3 }, { line: 1 }])
    await first.close()
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    const second = await openRunFile(path, subject)
    expect([second.run, second.done]).toEqual([first.run, new Set([1, 3])])
    await second.close()
  })

  test('loses a line that a crash cut off, and no other', async () => {
    const path = join(folder, 'torn.jsonl')
    const first = await openRunFile(path, subject)
    await first.append([{ line: 1 }, { line: 2 }])
    await first.close()
    const whole = await readFile(path, 'utf8')
    await writeFile(path, whole.slice(0, -3))
    const second = await openRunFile(path, subject)
    expect(second.done).toEqual(new Set([1]))
    await second.append([{ line: 2 }])
    await second.close()
    expect(await readFile(path, 'utf8')).toBe(whole)
  })

  test('keeps entries whole that are appended at the same time', async () => {
    const path = join(folder, 'busy.jsonl')
    const file = await openRunFile(path, subject)
    const long = (from: number) => Array.from({ length: 500 }, (_, i) => ({ line: from + i, text: 'x'.repeat(3_000) }))
    await Promise.all([file.append(long(1)), file.append(long(501)), file.append(long(1001))])
    await file.close()
    const again = await openRunFile(path, subject)
    expect(again.done.size).toBe(1_500)
    await again.close()
  })

  test('of another table, type or city is not gone on in', async () => {
    const path = join(folder, 'other.jsonl')
    await (await openRunFile(path, subject)).close()
    for (const other of [{ sha256: 'y' }, { type: 'MeterDeviceCredential' }, { city: 'http://x' }])
      await expect(openRunFile(path, { ...subject, ...other })).rejects.toThrow('is of another run')
    const text = join(folder, 'text')
    for (const content of ['something else\n', 'something else', '\n', '{"run":"run_', 'null\n', '[]\n', '7']) {
      await writeFile(text, content)
      await expect(openRunFile(text, subject)).rejects.toThrow('is of another run')
      expect(await readFile(text, 'utf8')).toBe(content)
    }
  })
})
