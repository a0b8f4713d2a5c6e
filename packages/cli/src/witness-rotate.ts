import { parseArgs } from 'node:util'
import { openWitnessState } from '@tillit/witness'
import { endFormerWitnessKeys, readWitnessKeys, rotateWitnessKeys, type WitnessKeys } from './witness-keys.ts'
import { policyName, witnessPolicyLines } from './witness-policy-lines.ts'

export const witnessRotateUsage = `tillit witness rotate [--state DIR] [--url URL] [--end]
  Makes new keys for a witness that is stopped, and prints the lines of a trust policy for them and
  for those of before. From its next start it cosigns with both, until the old ones are ended. Run
  again it makes no others, but prints the lines.
  --state  the folder of the witness (witness)
  --url    where logs reach it
  --end    deletes the old keys instead, once every policy names the new ones`

/** Exit status 0: there are new keys beside the old, or with --end the current ones alone. */
export async function rotateWitness(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      state: { type: 'string', default: 'witness' },
      url: { type: 'string' },
      end: { type: 'boolean', default: false },
    },
  })
  const { state: folder, url, end } = values
  // First of all, so that a folder without keys stays without anything.
  await readWitnessKeys(folder)
  const state = await openWitnessState(folder)
  try {
    const changed = await (end ? endFormerWitnessKeys : rotateWitnessKeys)(folder)
    const keys = await readWitnessKeys(folder)
    if (!changed)
      console.error(end ? 'There are no old keys.' : 'The keys were rotated before; --end ends the old ones.')
    if (!end) console.log(groupOf(keys))
    console.log(witnessPolicyLines(keys, url).join('\n'))
  } finally {
    await state.close()
  }
  return 0
}

function groupOf({ name, pairs }: WitnessKeys): string {
  const members = pairs.map((pair) => policyName(name, pair))
  return [
    `# the witness ${name}, which changes its keys. Whoever asks for it takes either for now:`,
    `# group ${name}/any any ${members.join(' ')}`,
  ].join('\n')
}
