import { type RegisterDidOptions, registerDid } from '@tillit/client'
import { Problem } from '@tillit/problem'
import type { DidLogEntry, Receipt } from '@tillit/schemas'
import { cityAt } from '../city-at.ts'

/**
 * Sends what the city does not have yet, and prints a receipt of each entry, which `tillit verify` takes: of an unlisted DID
 * nobody else can show that it is in the log.
 */
export async function sendLog(
  url: string,
  entries: readonly DidLogEntry[],
  options: RegisterDidOptions,
): Promise<number> {
  const city = cityAt(url)
  const accepted = await registerDid(city, entries, options)
  for (const { versionId, opening } of accepted) {
    const entry = entries.find((sent) => sent.versionId === versionId)
    if (entry === undefined)
      throw new Problem('did-conflict', { detail: `${url} accepted ${versionId}, which was not sent` })
    const receipt: Receipt = { type: 'tillit-receipt/v1', city: city.url, opening: { ...opening, entry }, leaf: null }
    console.log(JSON.stringify(receipt))
  }
  if (accepted.length === 0) console.error(`${url} has every entry of this log.`)
  return accepted.length
}
