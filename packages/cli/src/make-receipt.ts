import { parseArgs } from 'node:util'
import { completeReceipt, openPublicEntry, type PublicEntry } from '@tillit/client'
import { verifyOpening } from '@tillit/log'
import { cityAt } from './city-at.ts'
import { onlyArgument, UsageError } from './usage-error.ts'

export const receiptUsage = `tillit receipt ENTRY [--city URL]
  Prints a receipt of a public entry of the log, which tillit verify takes. Entries about people have
  none but those that their services hand out.
  ENTRY   a listed DID (its newest entry), the index of an entry, or its commitment (64 hexadecimal
          digits)
  --city  URL of the city (http://127.0.0.1:8080)`

export async function makeReceipt(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { city: { type: 'string', default: 'http://127.0.0.1:8080' } },
  })
  const entry = parseEntry(onlyArgument(positionals, { name: 'ENTRY', usage: receiptUsage }))
  const city = cityAt(values.city)
  const opening = await openPublicEntry(city, entry)
  verifyOpening(opening)
  console.log(JSON.stringify(await completeReceipt(city, opening)))
  return 0
}

function parseEntry(text: string): PublicEntry {
  if (text.startsWith('did:')) return { did: text }
  if (/^[0-9a-f]{64}$/.test(text)) return { commitment: text }
  if (/^\d{1,15}$/.test(text)) return { index: Number(text) }
  throw new UsageError(`${text} is neither a DID, nor an index, nor a commitment of 64 hexadecimal digits.`)
}
