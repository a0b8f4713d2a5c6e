import { rolldown } from 'rolldown'

/** Lowered to what every engine named in the published manifest reads. */
const target = 'es2023'

export interface BundleOptions {
  root: string
  input: string
  dir: string
  platform: 'node' | 'browser'
}

/**
 * Bundles one entry and our own workspaces that it uses into one ES module named as the entry, beside it one for each part
 * that is only loaded when needed, and gives the modules that they still import.
 * The platform is an export condition: with it our packages choose their digest and key back ends.
 */
export async function bundle({ root, input, dir, platform }: BundleOptions): Promise<Set<string>> {
  const build = await rolldown({
    cwd: root,
    input,
    platform,
    external: isForeign,
    resolve: { conditionNames: [platform, 'import', 'default'] },
    transform: { target },
    // Importing a module of ours, or of those we use, does nothing by itself; the entry is there for what it does.
    treeshake: { moduleSideEffects: (id) => id === input },
  })
  try {
    const { output } = await build.write({ dir, format: 'esm' })
    const own = new Set(output.map(({ fileName }) => fileName))
    const imports = output.flatMap((part) => (part.type === 'chunk' ? [...part.imports, ...part.dynamicImports] : []))
    return new Set(imports.filter((module) => !own.has(module)))
  } finally {
    await build.close()
  }
}

/** Everything but files, `#` imports and our own workspaces: that stays a dependency. */
function isForeign(id: string): boolean {
  return !/^[./#\0]/.test(id) && !id.startsWith('@tillit/')
}
