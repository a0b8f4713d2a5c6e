import { readFile } from 'node:fs/promises'
import { type Command, commands, overview } from './commands.ts'

async function main(args: readonly string[]): Promise<number> {
  const [name, ...rest] = args
  switch (name) {
    case undefined:
    case '--help':
    case '-h':
      return print(overview)
    case '--version':
      return print(await version())
    case 'help':
      return rest.length === 0 ? print(overview) : print((await load(rest[0] ?? '')).usage(rest.slice(1)))
    default:
      return run(await load(name), rest)
  }
}

async function load(name: string): Promise<Command> {
  const loadCommand = Object.hasOwn(commands, name) ? commands[name] : undefined
  if (loadCommand !== undefined) return loadCommand()
  const { UsageError } = await import('./usage-error.ts')
  throw new UsageError(`There is no command ${name}. What there is: tillit --help`)
}

async function run(command: Command, args: string[]): Promise<number> {
  const options = args.includes('--') ? args.slice(0, args.indexOf('--')) : args
  if (options.includes('--help') || options.includes('-h')) return print(command.usage(args))
  try {
    return await command.run(args)
  } catch (error) {
    const { isWrongOption, inWords } = await import('./explain.ts')
    if (!isWrongOption(error)) throw error
    console.error(`${inWords(error)}\n\n${command.usage(args)}`)
    return 2
  }
}

function print(text: string): number {
  console.log(text)
  return 0
}

async function version(): Promise<string> {
  const manifest = await readFile(new URL('../package.json', import.meta.url), 'utf8')
  return (JSON.parse(manifest) as { version: string }).version
}

// Whoever reads the output may have read enough of it (`tillit … | head`).
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit()
})
try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  const { explain } = await import('./explain.ts')
  const { text, status } = explain(error)
  console.error(text)
  process.exitCode = status
}
