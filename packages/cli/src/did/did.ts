import { wrongCall } from '../usage-error.ts'
import {
  deactivateDidFiles,
  deactivateUsage,
  rotateDidFiles,
  rotateUsage,
  updateDidFiles,
  updateUsage,
} from './change-did.ts'
import { createDidFiles, createUsage } from './create-did.ts'
import { moveDidFiles, moveUsage } from './move-did.ts'
import { resolveDid, resolveUsage } from './resolve-did.ts'

const verbs: Record<string, { run: (args: string[]) => Promise<number>; usage: string }> = {
  create: { run: createDidFiles, usage: createUsage },
  update: { run: updateDidFiles, usage: updateUsage },
  rotate: { run: rotateDidFiles, usage: rotateUsage },
  move: { run: moveDidFiles, usage: moveUsage },
  deactivate: { run: deactivateDidFiles, usage: deactivateUsage },
  resolve: { run: resolveDid, usage: resolveUsage },
}

export const didUsage = Object.values(verbs)
  .map(({ usage }) => usage)
  .join('\n\n')

export function usageOfDid([verb]: string[]): string {
  return (verb === undefined ? undefined : verbOf(verb)?.usage) ?? didUsage
}

/** Exit status 0: done; 1: refused, or the DID does not resolve; 2: called wrongly. */
export async function did(args: string[]): Promise<number> {
  const [verb, ...rest] = args
  if (verb === undefined) throw wrongCall('What is to become of a DID?', didUsage)
  const known = verbOf(verb)
  if (known !== undefined) return known.run(rest)
  // Without a verb it is the DID to resolve.
  if (verb.startsWith('did:') || verb.startsWith('-')) return resolveDid(args)
  throw wrongCall(`There is no command did ${verb}.`, didUsage)
}

function verbOf(name: string) {
  return Object.hasOwn(verbs, name) ? verbs[name] : undefined
}
