import type { Caller } from '@tillit/http'
import { Problem } from '@tillit/problem'
import type { Opening } from '@tillit/schemas'
import { openingOf } from './opening-of.ts'
import type { MeteringPorts } from './ports.ts'
import { createStore } from './store.ts'

/**
 * What opens the leaf of a batch in the log: for the device that signed it, and for the utility of its metering point. Throws
 * Problem not-found, also for a batch of others, and salt-erased once nothing opens it any more.
 */
export async function readBatchReceipt(
  { db }: MeteringPorts,
  caller: Caller,
  { did, seq }: { did: string; seq: number },
): Promise<Opening> {
  const store = createStore(db)
  const isDevice = caller.kind === 'device' && caller.id === did
  const isUtility = caller.kind === 'organisation' && (await store.utilityOfDevice(did)) === caller.id
  const batch = isDevice || isUtility ? await store.findBatch(did, seq) : undefined
  if (!batch) throw new Problem('not-found', { detail: 'No such batch' })
  return openingOf('reading-batch', batch)
}
