import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { buildPortal } from './build-portal.ts'

/** Compressed, for who takes no better than gzip. */
const scriptBudgetBytes = 200_000
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

test('what the first page loads of script stays within its budget, and has its smaller forms beside it', async () => {
  const names = await readdir(join(outDir, 'assets'))
  const scripts = names.filter((name) => name.endsWith('.js'))
  expect(scripts.length).toBeGreaterThan(0)
  const sizes = await Promise.all(scripts.map(async (name) => (await stat(join(outDir, 'assets', `${name}.gz`))).size))
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(scriptBudgetBytes)
  for (const name of scripts) {
    const plain = await readFile(join(outDir, 'assets', name))
    expect(brotliDecompressSync(await readFile(join(outDir, 'assets', `${name}.br`))).equals(plain)).toBe(true)
    expect(gunzipSync(await readFile(join(outDir, 'assets', `${name}.gz`))).equals(plain)).toBe(true)
  }
})

test('the page holds nothing of Node, and nothing inline that its policy would refuse', async () => {
  const html = await readFile(join(outDir, 'index.html'), 'utf8')
  expect(html).not.toMatch(/<style|style=|<script(?![^>]*src=)|data:|https?:/)
  for (const name of (await readdir(join(outDir, 'assets'))).filter((name) => !/\.(br|gz)$/.test(name))) {
    const text = await readFile(join(outDir, 'assets', name), 'utf8')
    expect(text).not.toMatch(/node:crypto|new Function\(|url\(["']?data:/)
  }
})
