import type { Write } from './postgres-between.ts'

/** Everything that the registry writes, in the order of an entry's way, and by what each write is known. */
export const registryWrites = {
  'a first entry and its place in the outbox': ['insert registry.dids'],
  'a later entry and its place in the outbox': ['update registry.dids', 'insert registry.did_entries'],
  'witness proofs and what they publish': ['insert registry.did_witness_proofs'],
  'an erasure': ['insert registry.erased_dids'],
  'leaves and tiles, out of the outboxes': ['insert registry.leaves'],
  'a signed checkpoint': ['insert registry.checkpoints'],
  'what the witnesses did': ['insert registry.witnesses'],
  'a published checkpoint': ['insert registry.published_checkpoints'],
  'the end of a duty to approve': ['delete registry.did_witness_duties'],
  'anchors that the ledger lost': ['update registry.anchors'],
  'an anchor': ['insert registry.anchors'],
} as const

export type RegistryWrite = keyof typeof registryWrites

export function isWriteOf(name: RegistryWrite): (write: Write) => boolean {
  return (write) => registryWrites[name].every((part) => write.includes(part))
}
