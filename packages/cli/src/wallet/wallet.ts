import { wrongCall } from '../usage-error.ts'
import { collect, collectUsage, list, listUsage } from './list.ts'
import { present, presentUsage } from './present.ts'
import { receive, receiveUsage } from './receive.ts'

const verbs: Record<string, { run: (args: string[]) => Promise<number>; usage: string }> = {
  receive: { run: receive, usage: receiveUsage },
  collect: { run: collect, usage: collectUsage },
  list: { run: list, usage: listUsage },
  present: { run: present, usage: presentUsage },
}

const walletUsage = Object.values(verbs)
  .map(({ usage }) => usage)
  .join('\n\n')

export function usageOfWallet([verb]: string[]): string {
  return (verb === undefined ? undefined : verbOf(verb)?.usage) ?? walletUsage
}

/** Exit status 0: done; 1: refused, or not agreed to; 2: called wrongly. */
export async function wallet(args: string[]): Promise<number> {
  const [verb, ...rest] = args
  if (verb === undefined) throw wrongCall('What is the wallet to do?', walletUsage)
  const known = verbOf(verb)
  if (known === undefined) throw wrongCall(`There is no command wallet ${verb}.`, walletUsage)
  return known.run(rest)
}

function verbOf(name: string) {
  return Object.hasOwn(verbs, name) ? verbs[name] : undefined
}
