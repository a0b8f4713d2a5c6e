import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type MlDsa44Signer, mlDsa44SignerFromSeed, type Signer, signerFromSeed } from '@tillit/keys'
import { type CosignerKey, type TrustPolicy, verifierKey } from '@tillit/log'
import { createWitness, openWitnessState, type Witness, type WitnessEvent, type WitnessPeer } from '@tillit/witness'
import type { RegistryPorts } from './index.ts'

export const logOrigin = 'localhost:8080/log'

export interface TestWitness extends Witness {
  readonly events: readonly WitnessEvent[]
  close(): Promise<void>
}

/** A real witness of the test's log, its memory in a folder of its own. */
export async function testWitness(
  name: string,
  logSigners: readonly Signer[],
  options: { seed: number; postQuantum?: boolean },
): Promise<TestWitness> {
  const folder = mkdtempSync(join(tmpdir(), 'registry-witness-'))
  const state = await openWitnessState(folder)
  const seed = new Uint8Array(32).fill(options.seed)
  const signers: (Signer | MlDsa44Signer)[] = [await signerFromSeed(seed)]
  if (options.postQuantum === true) signers.push(await mlDsa44SignerFromSeed(seed))
  const events: WitnessEvent[] = []
  const witness = createWitness({
    name,
    signers,
    logs: logSigners.map(({ publicKey }) => verifierKey(logOrigin, publicKey)),
    state,
    now: () => new Date(),
    report: (event) => events.push(event),
  })
  return {
    ...witness,
    events,
    close: async () => {
      await state.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** A policy over named keys, and who answers for each. */
export function witnessedBy(
  members: readonly { name: string; key: CosignerKey; peer: WitnessPeer }[],
  options: { threshold: number; own?: string[] },
): RegistryPorts['witnessing'] {
  const policy: TrustPolicy = {
    logs: [],
    witnesses: members.map(({ name, key }) => ({ name, key, url: null })),
    groups: [{ name: 'all-of-them', threshold: options.threshold, members: members.map(({ name }) => name) }],
    quorum: 'all-of-them',
  }
  return { policy, peers: new Map(members.map(({ name, peer }) => [name, peer])), own: new Set(options.own ?? []) }
}

/** A witness under a name for each of its keys. */
export function membersOf(witness: TestWitness, peer: WitnessPeer = witness) {
  return witness.keys.map((key) => ({ name: `${witness.name}-${key.type}`, key, peer }))
}
