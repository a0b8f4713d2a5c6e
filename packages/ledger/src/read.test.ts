import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'
import { expect, test } from 'vitest'

test('the reading side makes a bundle for browsers that needs nothing else', async () => {
  const build = await rolldown({
    input: fileURLToPath(new URL('./read.ts', import.meta.url)),
    platform: 'browser',
    logLevel: 'silent',
  })
  try {
    const { output } = await build.generate({ format: 'esm' })
    const parts = output.filter((part) => part.type === 'chunk')
    const names = new Set(parts.map(({ fileName }) => fileName))
    const outside = parts.flatMap(({ imports, dynamicImports }) => [...imports, ...dynamicImports])
    expect(outside.filter((name) => !names.has(name))).toEqual([])
    expect(parts.flatMap(({ moduleIds }) => moduleIds).filter((id) => /anvil|open-evm-ledger/.test(id))).toEqual([])
  } finally {
    await build.close()
  }
})
