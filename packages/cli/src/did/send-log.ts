import { type RegisterDidOptions, registerDid } from '@tillit/client'
import type { DidLogEntry } from '@tillit/schemas'
import { cityAt } from '../city-at.ts'

/** Sends what the city does not have yet, and prints the opening of each entry: it proves the entry in the log later. */
export async function sendLog(
  url: string,
  entries: readonly DidLogEntry[],
  options: RegisterDidOptions,
): Promise<number> {
  const accepted = await registerDid(cityAt(url), entries, options)
  for (const { versionId, opening } of accepted)
    console.log(JSON.stringify({ accepted: versionId, city: url, opening }))
  if (accepted.length === 0) console.error(`${url} has every entry of this log.`)
  return accepted.length
}
