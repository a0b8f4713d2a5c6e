import { mkdirSync, writeFileSync } from 'node:fs'
import * as schemas from './src/index.ts'

/** Writes each named schema as a file of JSON Schema; a test fails when the files and the sources drift apart. */
export function jsonSchemaFiles(): Map<string, string> {
  const files = new Map<string, string>()
  for (const value of Object.values(schemas)) {
    if (typeof value !== 'object' || value === null || !('$id' in value)) continue
    files.set(
      `${value.$id}.schema.json`,
      `${JSON.stringify({ $schema: 'https://json-schema.org/draft/2020-12/schema', ...value }, null, 2)}\n`,
    )
  }
  return files
}

if (import.meta.main) {
  const folder = new URL('./json/', import.meta.url)
  mkdirSync(folder, { recursive: true })
  for (const [name, text] of jsonSchemaFiles()) writeFileSync(new URL(name, folder), text)
}
