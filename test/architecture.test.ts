import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { isTest, readWorkspaces } from './dependencies.ts'

/** Which of our own packages each package may import (ARCHITECTURE.md, dependency rule). */
const wire = ['schemas', 'problem']
const base = [...wire, 'codec']
const core = ['schemas', 'problem', 'codec', 'keys', 'did', 'log', 'credential', 'policy', 'metering']
const adapters = ['ledger', 'database', 'http', 'key-store', 'witness']
const services = [
  'service-registry',
  'service-credentials',
  'service-authorization',
  'service-permissions',
  'service-metering',
  'service-portal',
  'service-verifier',
]
const allowed: Record<string, string[]> = {
  schemas: [],
  problem: ['schemas'],
  codec: wire,
  keys: base,
  did: [...base, 'keys'],
  log: [...base, 'keys'],
  credential: [...base, 'keys', 'did'],
  policy: [...base, 'keys'],
  metering: [...base, 'keys'],
  ledger: [...base, 'keys'],
  database: wire,
  http: [...base, 'keys'],
  'key-store': [...base, 'keys'],
  witness: [...base, 'keys', 'log'],
  client: core,
  cli: [...core, 'client', 'ledger', 'witness'],
  ...Object.fromEntries(services.map((name) => [name, [...core, ...adapters]])),
  'service-portal': [...core, ...adapters, 'client'],
  standalone: [...core, ...adapters, 'client', ...services],
}
/** Core packages know nothing of the outside; where a platform is needed there is one file for each. */
const impure = ['fastify', 'pg', 'kysely', 'pino', 'viem', 'oidc-provider']
const platformFiles = /\/(digest|backend|ml-dsa|verify-threads)-node\.ts$/

const workspaces = readWorkspaces()
const own = (name: string) => name.replace('@tillit/', '')

test('every workspace has a place in the dependency rule', () => {
  expect(workspaces.map(({ name }) => own(name)).sort()).toEqual(Object.keys(allowed).sort())
})

test.each(workspaces.map((workspace) => [own(workspace.name), workspace] as const))(
  '%s imports only what it may',
  (name, { imports }) => {
    const wrong = [...imports].flatMap(([file, names]) =>
      isTest(file)
        ? []
        : [...names]
            .filter((used) => used.startsWith('@tillit/') && !allowed[name]?.includes(own(used)))
            .map((used) => `${file}: ${used}`),
    )
    expect(wrong).toEqual([])
  },
)

test.each(workspaces.map((workspace) => [own(workspace.name), workspace] as const))(
  '%s declares what it imports and imports what it declares',
  (_name, { declared, imports, folder }) => {
    const root = JSON.parse(readFileSync('package.json', 'utf8')) as { devDependencies: Record<string, string> }
    const sources = [...imports].filter(([file]) => !isTest(file))
    const used = new Set(sources.flatMap(([, names]) => [...names]).filter((name) => !name.startsWith('node:')))
    const undeclared = [...used].filter((name) => !declared.has(name))
    expect(undeclared, `imported in ${folder} but not declared`).toEqual([])
    const everything = new Set([...imports].flatMap(([, names]) => [...names]))
    const unused = [...declared].filter((name) => !everything.has(name) && !(name in root.devDependencies))
    expect(unused, `declared in ${folder} but not imported`).toEqual([])
  },
)

test('the core is pure: no server, no database, no files, no clock, no randomness', () => {
  const wrong = workspaces
    .filter(({ name }) => core.includes(own(name)))
    .flatMap(({ imports }) => [...imports])
    .filter(([file]) => !isTest(file) && !platformFiles.test(file) && !file.endsWith('generate.ts'))
    .flatMap(([file, names]) => {
      const outside = [...names].filter(
        (name) => impure.includes(name) || (name.startsWith('node:') && !isTypeOnly(file, name)),
      )
      const text = readFileSync(file, 'utf8')
      const ambient = ['Date.now(', 'new Date()', 'Math.random(', 'getRandomValues('].filter((call) =>
        text.includes(call),
      )
      return [...outside, ...ambient].map((what) => `${file}: ${what}`)
    })
  expect(wrong).toEqual([])
})

test('the environment is read in one place', () => {
  const readers = workspaces
    .filter(({ name }) => name.startsWith('@tillit/service-') || name === '@tillit/standalone')
    .flatMap(({ imports }) => [...imports.keys()])
    .filter((file) => !isTest(file) && /process\.env\b(?!,|\))/.test(readFileSync(file, 'utf8')))
  // Build steps hand their environment on to the tool they start; they read nothing from it.
  expect(readers.filter((file) => !file.endsWith('/build-portal.ts') && !file.endsWith('/build-page.ts'))).toEqual([])
})

function isTypeOnly(file: string, module: string): boolean {
  const text = readFileSync(file, 'utf8')
  return (
    new RegExp(`import type [^\\n]*from '${module}'`).test(text) &&
    !new RegExp(`import (?!type)[^\\n]*from '${module}'`).test(text)
  )
}
