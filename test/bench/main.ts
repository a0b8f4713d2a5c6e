import { parseArgs } from 'node:util'
import { credentialFormatsBench } from './credentials.ts'
import { credentialsStatusBench } from './credentials-status.ts'
import { describeFigure, type Figure } from './figure.ts'
import { permissionsBench } from './permissions.ts'
import { policyBench } from './policy.ts'
import { readingBench } from './reading.ts'
import { registryBench } from './registry.ts'

const benches: Record<string, { about: string; run: () => Promise<Figure[]> }> = {
  permissions: {
    about: 'AuthZEN evaluations over HTTP, beside bare routes on the same database',
    run: permissionsBench,
  },
  policy: { about: 'decisions and delegation chains, beside Cedar and raw signature verification', run: policyBench },
  reading: { about: 'the protected read, beside bare routes on the same database', run: readingBench },
  credentials: {
    about: 'issuing and verifying credentials, in bulk and their status, beside libraries and bare signatures',
    run: async () => [...(await credentialFormatsBench()), ...(await credentialsStatusBench())],
  },
  registry: {
    about: 'registering and resolving DIDs, the tree of the log and the ledger, each beside its peer',
    run: () => registryBench(),
  },
}

const usage = `npm run bench -- [NAME] [--json]
  Measures each figure and its reference in alternating rounds of one run. A missed target is told, not an error.
  --json  one JSON object a figure
${Object.entries(benches)
  .map(([name, { about }]) => `  ${name.padEnd(13)}${about}`)
  .join('\n')}`

/** Exit status 2: asked for something unknown. A bench that could not run ends the process with its error. */
async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    options: { json: { type: 'boolean', default: false }, help: { type: 'boolean', default: false } },
    allowPositionals: true,
  })
  if (values.help) {
    console.log(usage)
    return 0
  }
  const names = positionals.length === 0 ? Object.keys(benches) : positionals
  const unknown = names.find((name) => !Object.hasOwn(benches, name))
  if (unknown !== undefined) {
    console.error(`There is no bench "${unknown}". Known: ${Object.keys(benches).join(', ')}`)
    return 2
  }
  for (const name of names) {
    const bench = benches[name]
    if (!values.json) console.log(`${name}: ${bench?.about}`)
    for (const one of (await bench?.run()) ?? []) console.log(values.json ? JSON.stringify(one) : describeFigure(one))
  }
  return 0
}

try {
  process.exitCode = await main()
} catch (error) {
  if (error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS')) {
    console.error(`${error.message}\n${usage}`)
    process.exitCode = 2
  } else throw error
}
