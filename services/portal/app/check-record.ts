import { completeReceipt } from '@tillit/client'
import { canonicalJson } from '@tillit/codec'
import { type VerifiedReceipt, verifyReceipt } from '@tillit/log'
import { isProblem } from '@tillit/problem'
import type { AccessRecord, Opening, Receipt } from '@tillit/schemas'
import { city } from './city.ts'
import type { LogKey } from './log-key.ts'
import { errorWords, moment } from './words.ts'

export type Outcome =
  | { state: 'not-in-log' }
  | { state: 'proved'; verified: VerifiedReceipt; selfWitnessed: boolean }
  | { state: 'failed'; words: string }

/** Checks, with this browser's own arithmetic, that the log holds exactly what is shown, under the key that was seen first. */
export async function checkRecord(record: AccessRecord, logKey: LogKey): Promise<Outcome> {
  try {
    const receipt = await readReceipt(record)
    if (receipt.leaf === null) return { state: 'not-in-log' }
    if (logKey.changed) return failed(keyChangedWords(logKey))
    const verified = verifyReceipt(receipt, { vkey: logKey.vkey })
    // What is proved must be what is shown here, to the last letter.
    if (canonicalJson(receipt.opening.entry) !== canonicalJson(record))
      return failed('The log holds something else than what is shown here. Keep the receipt and complain.')
    return { state: 'proved', verified, selfWitnessed: receipt.leaf.log.self_witnessed }
  } catch (error) {
    if (isProblem(error)) return failed(`This record could not be proved. ${error.message}`)
    return failed(errorWords(error))
  }
}

/** Gives the receipt to the customer as a file. */
export async function downloadReceipt(record: AccessRecord): Promise<void> {
  const text = JSON.stringify(await readReceipt(record), null, 2)
  const url = URL.createObjectURL(new Blob([text], { type: 'application/json' }))
  const link = document.createElement('a')
  link.href = url
  link.download = receiptFile(record)
  link.click()
  URL.revokeObjectURL(url)
}

export function receiptFile(record: AccessRecord): string {
  return `tillit-receipt-${record.id}.json`
}

async function readReceipt(record: AccessRecord): Promise<Receipt> {
  const opening = await city.get<Opening>(`/access-records/${record.id}/receipt`)
  return { ...(await completeReceipt(city, opening)), city: location.origin }
}

function keyChangedWords({ since }: LogKey): string {
  return (
    `Not proved: the log signs with another key than the one this browser first saw, on ${moment(since)}. ` +
    'It may be another log. Keep the receipt and ask the city why the key changed.'
  )
}

function failed(words: string): Outcome {
  return { state: 'failed', words }
}
