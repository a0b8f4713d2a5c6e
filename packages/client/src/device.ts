import { sha256, toBase64url, utf8 } from '@tillit/codec'
import { type Signer, signJws } from '@tillit/keys'
import type { BatchAccepted, BatchClaims, Reading } from '@tillit/schemas'
import { type City, CityError } from './city.ts'

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
  const state = async (): Promise<DeviceState> => (await store.load()) ?? { seq: 0, digest: null, pending: [] }
  return {
    async record(readings) {
      const last = await state()
      const claims: BatchClaims = {
        iss: did,
        seq: last.seq + 1,
        prv: last.digest,
        product,
        direction,
        unit: 'W.h',
        readings,
      }
      const batch = await signJws({ typ: 'tillit-batch+jwt' }, claims, signer)
      await store.save({ seq: claims.seq, digest: toBase64url(sha256(utf8(batch))), pending: [...last.pending, batch] })
      return claims.seq
    },
    async deliver(city) {
      const answers: BatchAccepted[] = []
      for (let current = await state(); ; current = await state()) {
        const [batch] = current.pending
        if (batch === undefined) return answers
        // A crash between the answer and the save sends this batch again, which the city recognises: stored once.
        answers.push(await city.post<BatchAccepted>(`/devices/${encodeURIComponent(did)}/batches`, { batch }))
        const newest = await state() // readings may have been recorded meanwhile
        await store.save({ ...newest, pending: newest.pending.filter((kept) => kept !== batch) })
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

/** Whether the city cannot be reached now, so that delivering later may help. */
export function isOffline(error: unknown): boolean {
  return !(error instanceof CityError) || error.status === 503
}
