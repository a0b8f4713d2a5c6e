import { UsageError } from '../usage-error.ts'
import { changeUsage, deactivateDidFiles, moveDidFiles, rotateDidFiles, updateDidFiles } from './change-did.ts'
import { createDidFiles, createUsage } from './create-did.ts'
import { resolveDid, resolveUsage } from './resolve-did.ts'

export const didUsage = [createUsage, changeUsage, resolveUsage].join('\n\n')

const verbs: Record<string, (args: string[]) => Promise<number>> = {
  create: createDidFiles,
  update: updateDidFiles,
  rotate: rotateDidFiles,
  move: moveDidFiles,
  deactivate: deactivateDidFiles,
  resolve: resolveDid,
}

/** Exit status 0: done; 1: refused, or the DID does not resolve; 2: called wrongly. */
export async function did(args: string[]): Promise<number> {
  const [verb, ...rest] = args
  if (verb === undefined) throw new UsageError(didUsage)
  const run = Object.hasOwn(verbs, verb) ? verbs[verb] : undefined
  if (run !== undefined) return run(rest)
  // Without a verb it is the DID to resolve.
  if (verb.startsWith('did:') || verb.startsWith('-')) return resolveDid(args)
  throw new UsageError(`There is no command did ${verb}.\n\n${didUsage}`)
}
