import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { vectorFiles } from './vector-files.ts'

test('the vectors of did:webvh are those that generate.ts makes', () => {
  const written = ['valid', 'invalid'].flatMap((folder) =>
    readdirSync(new URL(folder, import.meta.url)).map((name): [string, string] => {
      const path = `${folder}/${name}`
      return [path, readFileSync(new URL(path, import.meta.url), 'utf8')]
    }),
  )
  const made = vectorFiles()
  expect(written.map(([path]) => path).sort()).toEqual([...made.keys()].sort())
  expect(written.filter(([path, text]) => made.get(path) !== text).map(([path]) => path)).toEqual([])
})
