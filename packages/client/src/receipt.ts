import type { LeafProof, Opening, Receipt } from '@tillit/schemas'
import { type City, CityError } from './city.ts'

/** Joins an opening with the log's proof of it; `leaf` is null while the log does not hold it yet. */
export async function completeReceipt(city: City, opening: Opening): Promise<Receipt> {
  return { type: 'tillit-receipt/v1', city: city.url, opening, leaf: await proofOf(city, opening.commitment) }
}

async function proofOf(city: City, commitment: string): Promise<LeafProof | null> {
  try {
    return await city.get<LeafProof>(`/log/leaves/${commitment}/proof`)
  } catch (error) {
    if (error instanceof CityError && error.code === 'log-entry-not-found') return null
    throw error
  }
}
