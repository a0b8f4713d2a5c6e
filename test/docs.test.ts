import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { commands } from '../packages/cli/src/commands.ts'
import { readConfig } from '../services/standalone/src/config.ts'

const pages = [
  'README.md',
  'ARCHITECTURE.md',
  'SECURITY.md',
  'CONTRIBUTING.md',
  ...['packages', 'docs', 'docs/decisions'].flatMap((folder) => markdownIn(folder)),
].map((file) => ({ file, text: readFileSync(file, 'utf8') }))

function markdownIn(folder: string): string[] {
  const names = folder === 'packages' ? readdirSync(folder).map((name) => `${name}/README.md`) : readdirSync(folder)
  return names.map((name) => join(folder, name)).filter((file) => file.endsWith('.md') && existsSync(file))
}

/** What somebody would copy: fenced blocks with their continued lines joined, and code within sentences. */
function codeOf(text: string): string[] {
  const fenced = [...text.matchAll(/^```(\w*)\n(.*?)^```/gms)].flatMap(([, language = '', block = '']) =>
    ['', 'sh', 'ini'].includes(language) ? [block] : [],
  )
  const inline = [...text.replaceAll(/^```.*?^```/gms, '').matchAll(/`([^`]+)`/g)].map(([, code = '']) => code)
  return [...fenced.flatMap((block) => block.replaceAll('\\\n', ' ').split('\n')), ...inline]
}

/** The variables that the city asks its environment for. */
function variablesRead(): Set<string> {
  const asked = new Set<string>()
  const given: Record<string, string> = {
    KEY_STORE: 'pkcs11',
    ...Object.fromEntries(['PKCS11_MODULE', 'PKCS11_TOKEN_LABEL', 'PKCS11_PIN_FILE'].map((name) => [name, 'x'])),
    // Each is read a second time, to be parsed, only where it is given.
    LEDGER_RPC_URL: 'http://127.0.0.1:1',
    LEDGER_CONFIRMATIONS: '1',
  }
  readConfig(
    new Proxy(given, {
      get(target, name) {
        asked.add(String(name))
        return target[String(name)]
      },
    }),
  )
  return asked
}

/** Read by others than the city: the database's container, systemd (which sets its own), and the tests. */
const notTheCitys = /^(POSTGRES_\w+|CREDENTIALS_DIRECTORY)$/

test.each(pages)('$file names only environment variables that there are', ({ text }) => {
  const known = variablesRead()
  // A name with an underscore, as no other word of ours is written; and whatever systemd is told to set.
  const named = [...text.matchAll(/\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b/g)].map(([name]) => name)
  const set = [...text.matchAll(/^Environment=(.*)$/gm)].flatMap(
    ([, line = '']) => line.match(/\b[A-Z_0-9]+(?==)/g) ?? [],
  )
  expect([...named, ...set].filter((name) => !known.has(name) && !notTheCitys.test(name))).toEqual([])
})

test('the README names every environment variable of the city', () => {
  const readme = pages.find(({ file }) => file === 'README.md')?.text ?? ''
  const missing = [...variablesRead()].filter((name) => !readme.includes(`\`${name}`) && !notTheCitys.test(name))
  expect(missing).toEqual([])
})

test.each(pages)('$file calls tillit as it can be called', async ({ text }) => {
  const calls = codeOf(text).flatMap((code) => {
    const [, words] = /(?:^|npx |[\s/(])tillit(?:\.mjs)? ([^|#>)]+)/.exec(code) ?? []
    // Neither an option of tillit itself nor a COMMAND that stands for any.
    return words === undefined || !/^[a-z]/.test(words) ? [] : [words.trim().split(/\s+/)]
  })
  for (const [name = '', ...rest] of calls) {
    const load = Object.hasOwn(commands, name) ? commands[name] : undefined
    expect(load, `tillit ${name}`).toBeDefined()
    const usage = (await load?.())?.usage(rest) ?? ''
    if (/^[a-z]+$/.test(rest[0] ?? '')) expect(usage).toMatch(new RegExp(`tillit ${name} ${rest[0]}\\b`))
    for (const option of rest.join(' ').match(/--[a-z-]+/g) ?? []) expect(usage, `tillit ${name}`).toContain(option)
  }
})

test.each(pages)('$file runs only scripts of package.json', ({ text }) => {
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> }
  const run = codeOf(text).flatMap((code) => [...code.matchAll(/\bnpm run ([\w:]+)/g)].map(([, name = '']) => name))
  expect(run.filter((name) => !Object.hasOwn(scripts, name))).toEqual([])
})

test.each(pages)('$file asks a city only for what its API describes', ({ text }) => {
  const { paths } = JSON.parse(readFileSync('schemas/openapi.json', 'utf8')) as { paths: Record<string, unknown> }
  // What is not described: the pages of the portal, of the API and of sign-in, and whether the city is up.
  const undescribed = /^\/(portal|docs|openapi\.json|oauth|health)\b/
  const known = Object.keys(paths).map((path) => new RegExp(`^${path.replaceAll(/\{[^}]+\}/g, '[^/]+')}$`))
  const asked = [...text.matchAll(/(?:\$CITY|127\.0\.0\.1:8080)(\/[^\s"'`>)?]*)/g)].map(([, path = '']) => path)
  const wrong = asked.filter((path) => !undescribed.test(path) && !known.some((pattern) => pattern.test(path)))
  expect(wrong.filter((path) => !path.includes('$('))).toEqual([])
})

test.each(pages)('the links of $file lead somewhere', ({ file, text }) => {
  const links = [...text.matchAll(/\]\((?!https?:)([^)\s]+)\)/g)].map(([, link = '']) => link)
  for (const link of links) {
    const [path = '', heading] = link.split('#')
    const target = path === '' ? file : join(dirname(file), path)
    expect(existsSync(target), link).toBe(true)
    if (heading !== undefined) expect(headingsOf(readFileSync(target, 'utf8')), link).toContain(heading)
  }
})

function headingsOf(text: string): string[] {
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} -]/gu, '')
      .replaceAll(' ', '-'),
  )
}
