import { wrongCall } from '../usage-error.ts'
import { changeStatus, type StatusChange, statusUsage } from './change-status.ts'
import { issueTable, issueUsage } from './issue-table.ts'
import { reportKey, reportUsage } from './report-key.ts'

const verbs: Record<string, { run: (args: string[]) => Promise<number>; usage: string }> = {
  issue: { run: issueTable, usage: issueUsage },
  revoke: statusVerb('revoke'),
  suspend: statusVerb('suspend'),
  reinstate: statusVerb('reinstate'),
  'key-compromised': { run: reportKey, usage: reportUsage },
}

export const credentialsUsage = Object.values(verbs)
  .map(({ usage }) => usage)
  .join('\n\n')

export function usageOfCredentials([verb]: string[]): string {
  return (verb === undefined ? undefined : verbOf(verb)?.usage) ?? credentialsUsage
}

/** Exit status 0: done; 1: refused, or some lines were; 2: called wrongly. */
export async function credentials(args: string[]): Promise<number> {
  const [verb, ...rest] = args
  if (verb === undefined) throw wrongCall('What is to become of credentials?', credentialsUsage)
  const known = verbOf(verb)
  if (known !== undefined) return known.run(rest)
  throw wrongCall(`There is no command credentials ${verb}.`, credentialsUsage)
}

function statusVerb(change: StatusChange) {
  return { run: (args: string[]) => changeStatus(change, args), usage: statusUsage(change) }
}

function verbOf(name: string) {
  return Object.hasOwn(verbs, name) ? verbs[name] : undefined
}
