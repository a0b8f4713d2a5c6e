import { parseArgs } from 'node:util'
import { UsageError, wrongCall } from './usage-error.ts'
import { makeWitnessKeys, readWitnessKeys } from './witness-keys.ts'
import { witnessPolicyLines } from './witness-policy-lines.ts'

export const witnessInitUsage = `tillit witness init --name NAME [--state DIR] [--url URL]
  Makes the keys of a witness, and prints the lines of a trust policy that log operators and
  verifiers need.
  --name   a URL without its scheme that is yours, like witness.example/w1
  --state  the folder of the witness (witness)
  --url    where logs will reach it`

/** Exit status 0: made. What it prints is the text of a tlog-policy file, but for its quorum line. */
export async function initWitness(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      name: { type: 'string' },
      state: { type: 'string', default: 'witness' },
      url: { type: 'string' },
    },
  })
  const { name, state, url } = values
  if (name === undefined) throw wrongCall('--name is missing.', witnessInitUsage)
  if (name === '' || /[\p{White_Space}\p{Cc}+]/u.test(name))
    throw new UsageError('The name of a witness has no space, control character or plus.')
  await makeWitnessKeys(state, name)
  console.log(`# the witness ${name}: its Ed25519 key, and its ML-DSA-44 key for the time after quantum computers`)
  console.log(witnessPolicyLines(await readWitnessKeys(state), url).join('\n'))
  console.error(`The keys are in ${state}. Run: tillit witness --state ${state} --log VKEY`)
  return 0
}
