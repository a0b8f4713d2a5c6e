import { verifySignatureAsync } from '@tillit/keys'
import { isProblem, Problem } from '@tillit/problem'
import type { DidLogEntry } from '@tillit/schemas'
import { type DidState, type DidStep, followEntry, nextDidState } from './next-state.ts'
import { type SignatureCheck, signatureFault } from './signature-check.ts'

/** The state after a whole log. Throws the Problems of nextDidState, and invalid-did-log for an empty log. */
export function verifyDidLog(entries: readonly DidLogEntry[], options: { now: Date }): DidState {
  let state: DidState | null = null
  for (const entry of entries) state = nextDidState({ state, entry, now: options.now })
  if (state === null) throw new Problem('invalid-did-log', { detail: 'The log is empty' })
  return state
}

/** As nextDidState; the signatures are verified beside other work. Rejects with the same Problems. */
export async function nextDidStateAsync(step: DidStep): Promise<DidState> {
  return (await verifyDidEntry(step)).state
}

/** As nextDidStateAsync, with the canonical form (RFC 8785) of the entry, which verifying makes most of anyway. */
export async function verifyDidEntry(step: DidStep): Promise<{ state: DidState; canonicalText: string }> {
  const { state, signatures, text } = followEntry(step)
  const fault = await firstFault(signatures)
  if (fault !== null) throw fault
  return { state, canonicalText: text() }
}

/** Entries followed in one go: some milliseconds of work, where a whole log may take seconds. */
const followedAtOnce = 32

export interface VerifiedLog {
  /** The states of all entries up to the first that does not follow. */
  readonly states: readonly DidState[]
  /** Why that one does not follow; null when all do. */
  readonly fault: unknown
}

/**
 * Verifies entry by entry and says how far that went; between every few entries other work gets its turn. Rejects only with
 * what is no Problem.
 */
export async function verifyDidLogStates(
  entries: readonly DidLogEntry[],
  options: { now: Date; state?: DidState | null },
): Promise<VerifiedLog> {
  const states: DidState[] = []
  const faults: Promise<unknown>[] = []
  let refusal: unknown = null
  for (const entry of entries) {
    try {
      const step = followEntry({ state: states.at(-1) ?? options.state ?? null, entry, now: options.now })
      states.push(step.state)
      faults.push(firstFault(step.signatures))
      // Signatures are verified on other threads, so waiting for them is what lets others have their turn.
      if (faults.length % followedAtOnce === 0 && (await anyFault(faults.slice(-followedAtOnce)))) break
    } catch (error) {
      if (!isProblem(error)) throw error
      refusal = error
      break
    }
  }
  const settled = await Promise.all(faults)
  const forged = settled.findIndex((fault) => fault !== null)
  return forged < 0 ? { states, fault: refusal } : { states: states.slice(0, forged), fault: settled[forged] }
}

async function anyFault(faults: readonly Promise<unknown>[]): Promise<boolean> {
  return (await Promise.all(faults)).some((fault) => fault !== null)
}

async function firstFault(signatures: readonly SignatureCheck[]): Promise<unknown> {
  const verdicts = await Promise.all(
    signatures.map(({ key, message, signature }) => verifySignatureAsync(key, message, signature)),
  )
  const place = signatures[verdicts.indexOf(false)]
  return place === undefined ? null : signatureFault(place.pointer)
}
