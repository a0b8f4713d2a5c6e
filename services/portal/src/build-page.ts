import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { brotliCompress, gzip } from 'node:zlib'
import { build } from 'vite'

/** Smaller files fit in a packet or two anyway. */
const leastBytes = 1400

/** Run as a process: builds the page of `app/` into the folder that is its one argument. */
const [outDir] = process.argv.slice(2)
const inert = ['packages/', 'schemas/', 'node_modules/typebox/'].map((folder) =>
  fileURLToPath(new URL(`../../../${folder}`, import.meta.url)),
)
if (outDir === undefined) throw new Error('give the folder to build into')

await build({
  configFile: false,
  root: fileURLToPath(new URL('../app/', import.meta.url)),
  base: '/portal/',
  logLevel: 'warn',
  publicDir: false,
  resolve: {
    // Workspace packages choose their browser files by this condition (their `imports` maps).
    conditions: ['module', 'browser', 'production'],
  },
  oxc: { jsx: { runtime: 'automatic' } },
  build: {
    outDir,
    emptyOutDir: true,
    target: 'es2023',
    // No data: URLs, which the content security policy refuses.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    chunkSizeWarningLimit: 1000,
    rolldownOptions: {
      // Importing one of these does nothing by itself, so what the page does not use is left out; TypeBox would try `eval`.
      treeshake: { moduleSideEffects: (id) => !inert.some((folder) => id.startsWith(folder)) },
    },
  },
})

// Beside each file its smaller forms, which @fastify/static hands out to who takes them.
for (const entry of await readdir(outDir, { recursive: true, withFileTypes: true })) {
  const path = join(entry.parentPath, entry.name)
  if (!entry.isFile()) continue
  const content = await readFile(path)
  if (content.length < leastBytes) continue
  await writeFile(`${path}.br`, await promisify(brotliCompress)(content))
  await writeFile(`${path}.gz`, await promisify(gzip)(content, { level: 9 }))
}
