import { connectCity, registerDid } from '@tillit/client'
import type { DidLogEntry } from '@tillit/schemas'

/** Sends what the city does not have yet, and prints the opening of each entry: it proves the entry in the log later. */
export async function sendLog(url: string, entries: readonly DidLogEntry[], listed: boolean): Promise<number> {
  const accepted = await registerDid(connectCity({ url }), entries, { listed })
  for (const { versionId, opening } of accepted)
    console.log(JSON.stringify({ accepted: versionId, city: url, opening }))
  if (accepted.length === 0) console.error(`${url} has every entry of this log.`)
  return accepted.length
}
