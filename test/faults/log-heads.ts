import { connectCity } from '@tillit/client'
import { fromHex } from '@tillit/codec'
import { type Checkpoint, parseVerifierKey, verifyCheckpoint, verifyConsistency } from '@tillit/log'

/** The newest signed head of the log, under the key that `pinned` or else the city names. */
export async function headOf(url: string, pinned?: string): Promise<Checkpoint & { vkey: string }> {
  const city = connectCity({ url })
  const vkey = pinned ?? (await city.get<{ log: { vkey: string } }>('/authority')).log.vkey
  return { ...verifyCheckpoint(await city.text('GET', '/log/checkpoint'), parseVerifierKey(vkey)), vkey }
}

/** Gives the newest head, after proving that it holds the older one. */
export async function extensionOf(url: string, older: Checkpoint & { vkey: string }): Promise<Checkpoint> {
  const newer = await headOf(url, older.vkey)
  const query = { from: older.size, to: newer.size }
  const { hashes } = await connectCity({ url }).get<{ hashes: string[] }>('/log/consistency', { query })
  verifyConsistency(older, newer, hashes.map(fromHex))
  return newer
}
