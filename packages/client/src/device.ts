import { sha256, toBase64url, utf8 } from '@tillit/codec'
import { type Signer, signJws } from '@tillit/keys'
import type { BatchAccepted, BatchClaims, Reading } from '@tillit/schemas'
import { type City, CityError } from './city.ts'

/** What stands before the city says so when the city itself does not answer. */
const unreachableStatuses = new Set([502, 503, 504])

/** Where a device keeps what it measured until the city has it. Owned by the device; must survive a power cut. */
export interface BatchStore {
  load(): Promise<DeviceState | null>
  save(state: DeviceState): Promise<void>
}

export interface DeviceState {
  /** Number and digest of the newest batch made, sent or not. */
  seq: number
  digest: string | null
  /** Batches that the city has not acknowledged, oldest first. */
  pending: string[]
}

export interface DeviceOptions {
  did: string
  signer: Signer
  store: BatchStore
  product?: BatchClaims['product']
  direction?: BatchClaims['direction']
}

/** A meter's side: signs each batch when it is made, keeps it, delivers in order when there is a connection. */
export interface Device {
  /** Signs readings into the chain and stores them; no connection is needed. Gives the batch's number. */
  record(readings: Reading[]): Promise<number>
  /** Delivers what is stored, oldest first; stops at the first fault and keeps the rest. Gives what the city answered. */
  deliver(city: City): Promise<BatchAccepted[]>
}

export function createDevice({
  did,
  signer,
  store,
  product = 'active_energy',
  direction = 'consumption',
}: DeviceOptions): Device {
  let last: Promise<unknown> = Promise.resolve()
  /** One change after another: of two at once one would be lost, and with it readings or the order of the chain. */
  function change<Result>(work: (state: DeviceState) => Promise<Result>): Promise<Result> {
    const turn = last.then(async () => work((await store.load()) ?? { seq: 0, digest: null, pending: [] }))
    last = turn.catch(() => undefined) // whoever asked for this change is told; the next one starts from what is stored
    return turn
  }
  return {
    record: (readings) =>
      change(async ({ seq, digest, pending }) => {
        const claims: BatchClaims = {
          ...{ iss: did, seq: seq + 1, prv: digest },
          ...{ product, direction, unit: 'W.h', readings },
        }
        const batch = await signJws({ typ: 'tillit-batch+jwt' }, claims, signer)
        await store.save({ seq: claims.seq, digest: toBase64url(sha256(utf8(batch))), pending: [...pending, batch] })
        return claims.seq
      }),
    async deliver(city) {
      const answers: BatchAccepted[] = []
      for (;;) {
        const batch = await change(async ({ pending }) => pending[0])
        if (batch === undefined) return answers
        // A crash between the answer and the save sends this batch again, which the city recognises: stored once.
        answers.push(await city.post<BatchAccepted>(`/devices/${encodeURIComponent(did)}/batches`, { batch }))
        await change((state) => store.save({ ...state, pending: state.pending.filter((kept) => kept !== batch) }))
      }
    },
  }
}

/** Keeps the state in memory, for devices that never lose power and for tests. */
export function createMemoryStore(): BatchStore {
  let state: DeviceState | null = null
  return {
    load: async () => state,
    save: async (next) => {
      state = next
    },
  }
}

/** Whether the city cannot be reached now, so that delivering later may help. A fault of the device's own store is not that. */
export function isOffline(error: unknown): boolean {
  if (error instanceof CityError) return unreachableStatuses.has(error.status)
  // What fetch throws without an answer, and when the answer takes too long.
  return error instanceof TypeError || (error instanceof DOMException && error.name === 'TimeoutError')
}
