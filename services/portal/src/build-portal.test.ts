import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { buildPortal } from './build-portal.ts'

let folder: string
let outDir: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tillit-build-'))
  outDir = join(folder, 'dist')
  expect(await buildPortal({ outDir })).toEqual({ folder: outDir, built: true })
})

afterAll(() => rm(folder, { recursive: true }))

test('what is built already is not built again, and nothing else is left behind', async () => {
  expect((await buildPortal({ outDir })).built).toBe(false)
  expect(await readdir(join(folder, '.cache'))).toEqual([])
})

test('a page of other sources is replaced as a whole', async () => {
  await writeFile(join(outDir, '.sources-sha256'), 'of another time')
  await writeFile(join(outDir, 'left-over.js'), '')
  const [first, second] = await Promise.all([buildPortal({ outDir }), buildPortal({ outDir })])
  expect(first.built && second.built).toBe(true)
  expect(await readdir(join(folder, '.cache'))).toEqual([])
  expect(await readdir(outDir)).not.toContain('left-over.js')
})

test('the page holds nothing of Node, and nothing inline that its policy would refuse', async () => {
  const html = await readFile(join(outDir, 'index.html'), 'utf8')
  expect(html).not.toMatch(/<style|style=|<script(?![^>]*src=)|data:|https?:/)
  for (const name of await readdir(join(outDir, 'assets'))) {
    const text = await readFile(join(outDir, 'assets', name), 'utf8')
    expect(text).not.toMatch(/node:crypto|new Function\(|url\(["']?data:/)
  }
})
