import { readFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { moveDid, parseDidWitnessFile, type WitnessProofs } from '@tillit/client'
import type { DidLogEntry } from '@tillit/schemas'
import { onlyArgument, UsageError } from '../usage-error.ts'
import { change, committing } from './change-did.ts'
import { fileOptions, parsePlace } from './did-options.ts'
import { readKeyFile } from './key-file.ts'
import { openLogFile } from './log-file.ts'
import { sendLog } from './send-log.ts'

export const moveUsage = `tillit did move PLACE [--key FILE] [--log FILE] [--register CITY] [--leave CITY]
                [--witness-file FILE]
  Moves a portable DID to another place, with its history. Run again it makes no second entry but
  finishes what was begun.
  --key          the keys of the DID (did-key.json)
  --log          its log (did.jsonl)
  --register     URL of the city that is to host the DID from now on: it is sent the whole log
  --leave        URL of the city that hosted it: it is sent the entry that says where the DID went
  --witness-file the proofs of the DID's witnesses (did-witness.json), for the new city`

export async function moveDidFiles(args: string[]): Promise<number> {
  const options = { ...fileOptions, leave: { type: 'string' }, 'witness-file': { type: 'string' } } as const
  const { values, positionals } = parseArgs({ args, allowPositionals: true, options })
  const { key, log, register, leave } = values
  const { host, path } = parsePlace(onlyArgument(positionals, { name: 'PLACE', usage: moveUsage }))
  const place = [host, ...path].map(encodeURIComponent).join(':')
  if (placeOf((await openLogFile(log)).state.did) !== place)
    await change(
      { key, log },
      { make: ({ state, ...signing }) => moveDid(state, { host, path, ...committing(signing, state) }) },
    )
  const { entries } = await openLogFile(log)
  const { listed } = await readKeyFile(key)
  // The new city first: were it to refuse, the old one would have let go of a DID that lives nowhere.
  if (register !== undefined) await sendLog(register, entries, { listed, ...(await proofsIn(values['witness-file'])) })
  if (leave !== undefined) await leaveCity(leave, entries, listed)
  return 0
}

/** `did:webvh:<scid>:<host>:<folder>…` → its host and folders, encoded as they are. */
function placeOf(did: string): string {
  return did.split(':').slice(3).join(':')
}

async function proofsIn(file: string | undefined): Promise<{ witnessProofs?: readonly WitnessProofs[] }> {
  return file === undefined ? {} : { witnessProofs: parseDidWitnessFile(await readFile(file, 'utf8')) }
}

/** The city that had the DID gets the log up to the entry with which the DID left it. */
async function leaveCity(city: string, entries: readonly DidLogEntry[], listed: boolean): Promise<void> {
  const now = entries.at(-1)?.state.id
  const last = entries.findLastIndex(({ state }) => state.id !== now)
  const before = entries[last]
  if (before === undefined) throw new UsageError('The DID has always lived at this place, so it leaves none.')
  await sendLog(city, entries.slice(0, last + 2), { listed, did: String(before.state.id) })
}
