import { quorumMet, type ReadTiles } from '@tillit/log'
import { askWitness, type Cosignature, type WitnessAnswer } from './ask-witness.ts'
import type { SignedCheckpoint } from './log-store.ts'
import type { WitnessState } from './publication-store.ts'
import type { Witness, Witnessing } from './witnessing.ts'

/** How long a witness may take; it may be on the other side of the world and has to store what it signs. */
const witnessTimeoutMs = 5_000

/** How long others may still take once the quorum is met: a further cosignature is worth a moment, not a wait. */
const stragglerGraceMs = 250

export interface Collected {
  readonly cosignatures: readonly Cosignature[]
  readonly quorumMet: boolean
  /** Of every witness that was asked, by its name in the policy. */
  readonly states: readonly WitnessState[]
}

export interface CollectOptions {
  /** Where each witness was, as far as it is known. */
  readonly known: readonly WitnessState[]
  readonly readTiles: ReadTiles
  /** Ends the round, whatever was collected. */
  readonly signal: AbortSignal
}

/** Asks all witnesses at once, until the quorum is met and a moment longer, or until each has answered or had its time. */
export async function collectCosignatures(
  checkpoint: SignedCheckpoint,
  { policy, witnesses }: Witnessing,
  { known, readTiles, signal }: CollectOptions,
): Promise<Collected> {
  const enough = new AbortController()
  const round = AbortSignal.any([enough.signal, signal])
  const cosignatures: Cosignature[] = []
  const met = () => quorumMet(policy, new Set(cosignatures.map(({ name }) => name)))
  let grace: NodeJS.Timeout | null = null
  const waitNoLonger = () => {
    if (grace === null && met()) grace = setTimeout(() => enough.abort(), stragglerGraceMs)
  }
  const states: WitnessState[] = []
  waitNoLonger()
  try {
    await Promise.all(
      witnesses.map(async (witness) => {
        const answer = await askWitness(witness, checkpoint, {
          // The keys of one witness share its memory of the log; the smallest known size is the safe one.
          knownSize: Math.min(...statesOf(witness, known).map(({ cosignedSize }) => cosignedSize)),
          readTiles,
          signal: AbortSignal.any([round, AbortSignal.timeout(witnessTimeoutMs)]),
        })
        cosignatures.push(...answer.cosignatures)
        states.push(...nextStates(witness, answer, { checkpoint, known }))
        waitNoLonger()
      }),
    )
  } finally {
    if (grace !== null) clearTimeout(grace)
  }
  const order = policy.witnesses.map(({ name }) => name)
  cosignatures.sort((a, b) => order.indexOf(a.name) - order.indexOf(b.name))
  return { cosignatures, quorumMet: met(), states }
}

function statesOf({ keys }: Witness, known: readonly WitnessState[]): WitnessState[] {
  return keys.map(
    ({ name }) =>
      known.find((state) => state.name === name) ?? { name, cosignedSize: 0, cosignedAt: null, fault: null },
  )
}

function nextStates(
  witness: Witness,
  answer: WitnessAnswer,
  { checkpoint, known }: { checkpoint: SignedCheckpoint; known: readonly WitnessState[] },
): WitnessState[] {
  return statesOf(witness, known).map((state) => {
    const own = answer.cosignatures.find(({ name }) => name === state.name)
    if (own === undefined) return { ...state, fault: answer.fault }
    const cosignedAt = new Date(own.timestampSeconds * 1000)
    return { name: state.name, cosignedSize: checkpoint.size, cosignedAt, fault: null }
  })
}
