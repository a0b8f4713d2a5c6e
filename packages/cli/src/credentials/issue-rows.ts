import { type City, CityError } from '@tillit/client'
import { type CredentialBatchResult, maxBatchLines, type NewOffer } from '@tillit/schemas'
import type { TableRow } from './read-table.ts'
import { tryAgain } from './try-again.ts'

/** Offers are asked for one by one; so many make a batch. */
const offersAtOnce = 16

export interface Answered {
  issued: { line: number }[]
  refused: { line: number; code: string; detail: string }[]
}

export interface Sender {
  batchSize: number
  send(rows: readonly TableRow[]): Promise<Answered>
}

/** Has rows issued as credentials, idempotently: the city knows each line of a run. */
export function issueCredentials(city: City, { type, run }: { type: string; run: string }): Sender {
  return {
    batchSize: maxBatchLines,
    send: (rows) => {
      const lines = rows.map(({ line, cells: { holder = '', expires, ...claims } }) => ({
        line,
        holder,
        claims,
        ...(expires === undefined ? {} : { expires }),
      }))
      return tryAgain(() => city.post<CredentialBatchResult>('/credentials/batches', { run, type, lines }))
    },
  }
}

/** Has offers made for rows. One whose answer was lost is made anew; the lost one can be redeemed by nobody and expires. */
export function offerCredentials(city: City, { type, withCode }: { type: string; withCode: boolean }): Sender {
  return {
    batchSize: offersAtOnce,
    send: async (rows) => {
      const answers = await Promise.all(rows.map((row) => offer(city, row, { type, withCode })))
      return {
        issued: answers.flatMap((answer) => ('offer' in answer ? [answer.offer] : [])),
        refused: answers.flatMap((answer) => ('refused' in answer ? [answer.refused] : [])),
      }
    },
  }
}

type Offered = { offer: Record<string, unknown> & { line: number } } | { refused: Answered['refused'][number] }

async function offer(
  city: City,
  { line, cells }: TableRow,
  { type, withCode }: { type: string; withCode: boolean },
): Promise<Offered> {
  const { customer, metering_point: resource } = cells
  try {
    const request = {
      holder: customer,
      configuration_ids: [type],
      tx_code: withCode,
      ...(resource === undefined ? {} : { resource }),
    }
    const { id, links, tx_code, expires_at } = await tryAgain(() => city.post<NewOffer>('/openid4vci/offers', request))
    return { offer: { line, id, customer, ...links, ...(tx_code === undefined ? {} : { tx_code }), expires_at } }
  } catch (error) {
    // What this line asks for is refused; a city that cannot answer now ends the run, which can go on later.
    if (!(error instanceof CityError) || error.status >= 500 || error.status === 401 || error.status === 429)
      throw error
    return { refused: { line, code: error.code, detail: error.message } }
  }
}
