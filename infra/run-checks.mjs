// `npm test`: linter, type check, then every test (architecture and drift among them). Each step runs, whatever the others say.
import { spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'

mkdirSync('.cache', { recursive: true })
const steps = [
  ['linter', 'biome', ['check', '--error-on-warnings', '.']],
  ['type check', 'tsc', ['--noEmit']],
  ['type check of the portal', 'tsc', ['--noEmit', '-p', 'services/portal/tsconfig.json']],
  [
    'tests',
    'vitest',
    [
      'run',
      '--reporter=default',
      '--reporter=json',
      '--outputFile.json=.cache/test-results.json',
      ...process.argv.slice(2),
    ],
  ],
]
const failed = []
for (const [name, command, args] of steps) {
  console.log(`\n== ${name}`)
  const { status, error } = spawnSync(command, args, { stdio: 'inherit' })
  if (error !== undefined) console.error(`${command} could not be started: ${error.message}`)
  if (status !== 0) failed.push(name)
}
console.log(failed.length === 0 ? '\nAll checks passed.' : `\nFailed: ${failed.join(', ')}`)
process.exitCode = failed.length === 0 ? 0 : 1
