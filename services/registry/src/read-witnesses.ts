import { formatCosignerKey } from '@tillit/log'
import type { WitnessList } from '@tillit/schemas'
import type { PublicationReader } from './publication-store.ts'
import type { Publisher } from './publisher.ts'
import type { Witnessing } from './witnessing.ts'

/** The witnesses of the policy, and what each did last. */
export async function readWitnesses(
  { policy, own, selfWitnessed }: Witnessing,
  { publications, publisher }: { publications: PublicationReader; publisher: Publisher },
): Promise<WitnessList> {
  const states = await publications.readWitnesses()
  return {
    quorum: policy.quorum,
    self_witnessed: selfWitnessed,
    fault: publisher.fault,
    witnesses: policy.witnesses.map(({ name, key }) => {
      const state = states.find((known) => known.name === name)
      return {
        name,
        vkey: formatCosignerKey(key),
        own: own.has(name),
        cosigned_size: state?.cosignedSize ?? null,
        cosigned_at: state?.cosignedAt?.toISOString() ?? null,
        fault: state?.fault ?? null,
      }
    }),
  }
}
