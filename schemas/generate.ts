import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import * as schemas from './src/index.ts'

const dialect = 'https://json-schema.org/draft/2020-12/schema'

/** Each named schema as a file of JSON Schema, by file name; a test fails when the files and the sources drift apart. */
export function jsonSchemaFiles(): Map<string, string> {
  const files = new Map<string, string>()
  for (const value of Object.values(schemas)) {
    if (typeof value !== 'object' || value === null || !('$id' in value)) continue
    files.set(`${value.$id}.schema.json`, `${JSON.stringify({ $schema: dialect, ...value }, null, 2)}\n`)
  }
  return files
}

/** Writes the files, and removes those whose schema is gone. */
export function writeJsonSchemas(): void {
  const folder = new URL('./json/', import.meta.url)
  mkdirSync(folder, { recursive: true })
  const files = jsonSchemaFiles()
  for (const name of readdirSync(folder)) if (!files.has(name)) rmSync(new URL(name, folder))
  for (const [name, text] of files) writeFileSync(new URL(name, folder), text)
}
