import { equalBytes } from '@tillit/codec'
import {
  type CosignerKey,
  formatVerifierKey,
  parseNote,
  quorumMet,
  type TrustPolicy,
  type VerifierKey,
  verifierKey,
} from '@tillit/log'
import type { WitnessPeer } from '@tillit/witness'
import type { RegistryPorts } from './ports.ts'
import { namesKey } from './renew-note.ts'

/** A way to one witness, and which witnesses of the policy answer there: one for each of its keys. */
export interface Witness {
  readonly peer: WitnessPeer
  readonly keys: readonly { readonly name: string; readonly key: CosignerKey }[]
}

/** Who the log is, under which policy it publishes, and whom it asks. */
export interface Witnessing {
  readonly origin: string
  readonly activeKey: VerifierKey
  /** The active one first. */
  readonly logKeys: readonly VerifierKey[]
  readonly policy: TrustPolicy
  readonly witnesses: readonly Witness[]
  readonly own: ReadonlySet<string>
  /** True when the operator's own witnesses can meet the quorum alone, or when it asks for none. */
  readonly selfWitnessed: boolean
}

/** The witnessing of the ports, with the keys of this log as the only ones of the policy. */
export function createWitnessing({
  logOrigin: origin,
  logSigners,
  witnessing: { policy, peers, own },
}: Pick<RegistryPorts, 'logOrigin' | 'logSigners' | 'witnessing'>): Witnessing {
  const logKeys = logSigners.map(({ publicKey }) => verifierKey(origin, publicKey))
  const [activeKey] = logKeys
  if (activeKey === undefined) throw new RangeError('the log has no key')
  return {
    origin,
    activeKey,
    logKeys,
    policy: { ...policy, logs: logKeys.map((key) => ({ key, url: urlOf(key, policy) })) },
    witnesses: groupByPeer(policy, peers),
    own,
    selfWitnessed: quorumMet(policy, own),
  }
}

/** The first of the log's keys that signed a note of its own; null for a note from the time of older ones. */
export function signerOf(note: string, { logKeys }: Pick<Witnessing, 'logKeys'>): VerifierKey | null {
  const parsed = parseNote(note)
  return logKeys.find((key) => namesKey(parsed, key)) ?? null
}

/** The verifier keys of the log, the active one first. */
export function vkeysOf({ logKeys }: Pick<Witnessing, 'logKeys'>): string[] {
  return logKeys.map(formatVerifierKey)
}

function urlOf(key: VerifierKey, { logs }: TrustPolicy): string | null {
  return logs.find((log) => equalBytes(log.key.publicKey.bytes, key.publicKey.bytes))?.url ?? null
}

function groupByPeer(policy: TrustPolicy, peers: ReadonlyMap<string, WitnessPeer>): Witness[] {
  const groups = new Map<WitnessPeer, { name: string; key: CosignerKey }[]>()
  for (const { name, key } of policy.witnesses) {
    const peer = peers.get(name)
    // One without a way to it cannot be asked; the policy still counts it.
    if (peer === undefined) continue
    groups.set(peer, [...(groups.get(peer) ?? []), { name, key }])
  }
  return [...groups].map(([peer, keys]) => ({ peer, keys }))
}
