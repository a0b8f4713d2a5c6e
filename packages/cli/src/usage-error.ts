/** The command was called in a way that cannot work; its message says how it can. Exit status 2. */
export class UsageError extends Error {}

/** What is wrong with a call, and below it how the command is called. */
export function wrongCall(what: string, usage: string): UsageError {
  return new UsageError(`${what}\n\n${usage}`)
}

/** The only positional argument. Throws UsageError when there is none, or more. */
export function onlyArgument(positionals: readonly string[], { name, usage }: { name: string; usage: string }): string {
  const [only, ...more] = positionals
  if (only === undefined) throw wrongCall(`${name} is missing.`, usage)
  if (more.length > 0) throw wrongCall(`One ${name} at a time: ${more.join(' ')} is too much.`, usage)
  return only
}
