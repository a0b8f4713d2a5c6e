import { toPublicJwk } from '@tillit/keys'
import { Problem } from '@tillit/problem'
import { deviceKeys } from './device-key.ts'
import type { MeteringPorts } from './ports.ts'
import { requireOwn, requireUtility } from './require-utility.ts'
import { createStore, type Store, transact } from './store.ts'
import type { DeviceRow } from './tables.ts'

export interface Enrolment {
  did: string
  metering_point: string
  model: string
  serial: string
}

export interface EnrolledDevice extends Enrolment {
  status: 'ACTIVE' | 'QUARANTINED'
  credential: string
  last_seq: number
}

/**
 * Enrols a device at one of the utility's points: its DID has to resolve and hold a strong Ed25519 key. The device gets a
 * MeterDeviceCredential. The same enrolment again gives the same device; another one of the same DID is a conflict.
 */
export async function enrolDevice(
  ports: MeteringPorts,
  utilityDid: string,
  enrolment: Enrolment,
): Promise<EnrolledDevice> {
  const reader = createStore(ports.db)
  await requireUtility(reader, utilityDid)
  requireOwn(await reader.findPoint(enrolment.metering_point), utilityDid)
  const known = await reader.findDevice(enrolment.did)
  if (known) return sameDevice(known, enrolment)

  const [signing] = await deviceKeys(ports, enrolment.did)
  if (!signing) throw new Problem('invalid-key')
  const { did, metering_point, model, serial } = enrolment
  // Issued before the device is stored: a crash between leaves a credential of a device that nothing accepts yet.
  const { credential } = await ports.issueCredential({
    type: 'MeterDeviceCredential',
    holder: { did, jwk: toPublicJwk(signing.key) },
    claims: { model, serial, metering_point },
  })
  return transact(ports.db, async (store) => {
    requireOwn(await store.lockPoint(metering_point), utilityDid)
    const meanwhile = await store.findDevice(did)
    if (meanwhile) return sameDevice(meanwhile, enrolment)
    const row: DeviceRow = {
      ...{ did, metering_point_id: metering_point, model, serial, credential, status: 'ACTIVE' },
      ...{ last_seq: 0, last_sha256: null, enrolled_at: ports.now() },
    }
    await store.addDevice(row)
    return device(row)
  })
}

/** From now on nothing of the device is accepted. */
export async function quarantineDevice(ports: MeteringPorts, utilityDid: string, did: string): Promise<EnrolledDevice> {
  return transact(ports.db, async (store) => {
    await requireUtility(store, utilityDid)
    const row = await ownDevice(store, utilityDid, did)
    await store.updateDevice(did, { status: 'QUARANTINED' })
    return device({ ...row, status: 'QUARANTINED' })
  })
}

async function ownDevice(store: Store, utilityDid: string, did: string): Promise<DeviceRow> {
  const row = await store.lockDevice(did)
  const point = row ? await store.findPoint(row.metering_point_id) : undefined
  if (!row || point?.utility_did !== utilityDid) throw new Problem('not-found', { detail: 'No such device' })
  return row
}

function sameDevice(row: DeviceRow, enrolment: Enrolment): EnrolledDevice {
  const same =
    row.metering_point_id === enrolment.metering_point &&
    row.model === enrolment.model &&
    row.serial === enrolment.serial
  if (!same) throw new Problem('conflict', { detail: 'The device is enrolled with other data', pointer: '/did' })
  return device(row)
}

function device(row: DeviceRow): EnrolledDevice {
  return {
    did: row.did,
    metering_point: row.metering_point_id,
    model: row.model,
    serial: row.serial,
    status: row.status,
    credential: row.credential,
    last_seq: row.last_seq,
  }
}
