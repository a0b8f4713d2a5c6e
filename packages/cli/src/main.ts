import { CityError } from '@tillit/client'
import { isProblem } from '@tillit/problem'
import { anchorStatus, anchorUsage } from './anchor-status.ts'
import { fsck, fsckUsage } from './audit/fsck.ts'
import { monitor, monitorUsage } from './audit/monitor.ts'
import { did, didUsage } from './did/did.ts'
import { importFile, importUsage } from './import-file.ts'
import { readReadings, readUsage } from './read-readings.ts'
import { UsageError } from './usage-error.ts'
import { verifyReceipt, verifyUsage } from './verify-receipt.ts'
import { witness, witnessUsage } from './witness.ts'

const commands: Record<string, (args: string[]) => Promise<number>> = {
  import: importFile,
  read: readReadings,
  verify: verifyReceipt,
  did,
  anchor: anchorStatus,
  witness,
  fsck,
  monitor,
}

const usage = [
  'tillit: the command line of a Tillit city',
  importUsage,
  readUsage,
  verifyUsage,
  fsckUsage,
  monitorUsage,
  didUsage,
  anchorUsage,
  witnessUsage,
].join('\n\n')

/** Exit status: 0 done, 1 refused or not true, 2 called wrongly, 3 verified but not anchored yet. */
async function main(): Promise<number> {
  const [name, ...args] = process.argv.slice(2)
  const command = name === undefined ? undefined : commands[name]
  if (name === undefined || name === 'help' || name === '--help') {
    console.log(usage)
    return 0
  }
  if (command === undefined) throw new UsageError(`There is no command ${name}.\n\n${usage}`)
  return command(args)
}

function explain(error: unknown): { text: string; status: number } {
  if (error instanceof UsageError) return { text: error.message, status: 2 }
  if (error instanceof CityError) {
    const reasons = error.problem.reasons?.map((reason) => `\n  - ${reason}`).join('') ?? ''
    return { text: `${error.code}: ${error.message}${reasons}`, status: 1 }
  }
  if (isProblem(error)) return { text: `${error.code}: ${error.message}`, status: 1 }
  if (error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS'))
    return { text: error.message, status: 2 }
  if (error instanceof TypeError && error.message === 'fetch failed')
    return { text: 'The city cannot be reached. Does it run (npm start)?', status: 1 }
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return { text: error.message, status: 2 }
  throw error
}

try {
  process.exitCode = await main()
} catch (error) {
  const { text, status } = explain(error)
  console.error(text)
  process.exitCode = status
}
