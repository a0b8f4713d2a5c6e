import { mlDsa44SignerFromSeed, signerFromSeed } from '@tillit/keys'
import type { TrustPolicy, VerifierKey } from '@tillit/log'
import { createWitness, openWitnessState, type Witness, type WitnessEvent, type WitnessPeer } from '@tillit/witness'
import type { BreakingFiles } from './breaking-files.ts'

/** A witness with two keys, whose memory outlives its process. */
export interface TheWitness extends WitnessPeer {
  readonly keys: Witness['keys']
  /** Where it keeps its memory. */
  readonly folder: string
  /** What its operator was told, by all of its processes. */
  readonly events: readonly WitnessEvent[]
  /** How large the log is that it cosigned last. */
  size(origin: string): Promise<number>
  /** Its process ends; another one takes up its folder. */
  restart(): Promise<void>
  stop(): Promise<void>
}

export async function openTheWitness({
  folder,
  logKey,
  files,
}: {
  folder: string
  logKey: VerifierKey
  files: BreakingFiles
}): Promise<TheWitness> {
  const seed = new Uint8Array(32).fill(5)
  const signers = [await signerFromSeed(seed), await mlDsa44SignerFromSeed(seed)]
  const events: WitnessEvent[] = []
  const open = async () => {
    const state = await openWitnessState(folder, files)
    const report = (event: WitnessEvent) => void events.push(event)
    const witness = createWitness({
      ...{ name: 'witness.example', signers, logs: [logKey], state, now: () => new Date(), report },
    })
    return { witness, state }
  }
  let running = await open()
  return {
    keys: running.witness.keys,
    folder,
    events,
    addCheckpoint: (body, signal) => running.witness.addCheckpoint(body, signal),
    size: async (origin) => (await running.witness.latest(origin))?.checkpoint.size ?? 0,
    async restart() {
      await running.state.close()
      files.restore()
      running = await open()
    },
    stop: () => running.state.close(),
  }
}

/** Both keys of the witness have to cosign. */
export function policyOf({ keys }: Pick<TheWitness, 'keys'>, logKey: VerifierKey): TrustPolicy {
  const witnesses = keys.map((key) => ({ name: `witness-${key.type}`, key, url: null }))
  const members = witnesses.map(({ name }) => name)
  return {
    logs: [{ key: logKey, url: null }],
    witnesses,
    groups: [{ name: 'both', threshold: members.length, members }],
    quorum: 'both',
  }
}
