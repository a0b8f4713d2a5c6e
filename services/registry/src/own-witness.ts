import { didKeyFor, witnessEntry } from '@tillit/did'
import { isProblem } from '@tillit/problem'
import type { RegistryPorts } from './ports.ts'
import { takeWitnessProofs, type WitnessingParts } from './take-witness-proofs.ts'

/** Versions approved between two looks at what is due. */
const batchVersions = 256

/** Erased since it was read, or so full of proofs that there is no room for ours: one such DID holds no other up. */
const nothingDue: ReadonlySet<string> = new Set(['did-erased', 'did-not-found', 'body-too-large'])

/**
 * The registry as a witness of did:webvh: it approves a version that names it once the published, cosigned log holds the
 * entry. So a stock did:webvh resolver, which knows nothing of the log, accepts no version that was kept out of it.
 */
export interface OwnWitness {
  /** Its did:key. */
  readonly did: string
  /** Approves what is due in the published log of this size. A crash leaves the rest due; the next call goes on. */
  approve(logSize: number): Promise<void>
}

export function createOwnWitness(
  { store, logs, now }: WitnessingParts,
  { didWitnessSigner, onPublished }: Pick<RegistryPorts, 'didWitnessSigner'> & { onPublished: (did: string) => void },
): OwnWitness {
  const approve = async (logSize: number): Promise<void> => {
    for (;;) {
      const due = await store.readDueWitnessing(logSize, batchVersions)
      for (const { did, versionNumber, versionId } of due) {
        const proofs = await witnessEntry(versionId, didWitnessSigner, now())
        try {
          await takeWitnessProofs(did, [{ versionId, proof: proofs.proof.map((proof) => ({ ...proof })) }], {
            store,
            logs,
            now,
          })
        } catch (error) {
          if (!isProblem(error) || !nothingDue.has(error.code)) throw error
        }
        await store.holdDid(did, (held) => held.endDuties(versionNumber))
        onPublished(did)
      }
      if (due.length < batchVersions) return
    }
  }
  return {
    did: didKeyFor(didWitnessSigner.publicKey),
    approve,
  }
}
