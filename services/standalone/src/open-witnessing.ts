import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { equalBytes, fromUtf8 } from '@tillit/codec'
import type { MlDsa44Signer, Signer } from '@tillit/keys'
import { cosignerKey, parseTrustPolicy, quorumMet, type TrustPolicy, type VerifierKey, verifierKey } from '@tillit/log'
import { isProblem, Problem } from '@tillit/problem'
import type { RegistryPorts } from '@tillit/service-registry'
import { createWitness, httpWitnessPeer, openWitnessState, type Witness, type WitnessPeer } from '@tillit/witness'
import type { FastifyBaseLogger } from 'fastify'
import type { Config } from './config.ts'
import type { Teardown } from './teardown.ts'

/** How long one call to a witness may take, connecting included; the registry gives a round of calls no more. */
const witnessTimeoutMilliseconds = 5_000

export interface WitnessingParts {
  readonly log: { readonly origin: string; readonly signers: readonly Signer[] }
  /** Keys of the witness that the city runs itself. */
  readonly witnessSigners: readonly (Signer | MlDsa44Signer)[]
  readonly now: () => Date
  readonly logger: FastifyBaseLogger
  readonly teardown: Teardown
}

/**
 * Who has to cosign the log before it is published: the witnesses of WITNESS_POLICY, or else one that the city runs itself,
 * with its memory in DATA_DIR/witness. Throws Problem invalid-configuration, and those of openWitnessState.
 */
export async function openWitnessing(config: Config, parts: WitnessingParts): Promise<RegistryPorts['witnessing']> {
  if (config.witnessPolicyFile === null) {
    const witness = await openOwnWitness(config, parts)
    const policy = ownPolicy(witness, parts.log, config.publicUrl)
    const names = policy.witnesses.map(({ name }) => name)
    return { policy, peers: new Map(names.map((name) => [name, witness])), own: new Set(names) }
  }
  const policy = await readPolicy(config.witnessPolicyFile)
  requireOwnLog(policy, parts.log)
  const unknown = config.ownWitnesses.find((name) => policy.witnesses.every((witness) => witness.name !== name))
  if (unknown !== undefined) throw wrong(`OWN_WITNESSES names ${unknown}, which is no witness of WITNESS_POLICY`)
  const embedded = namesOfOwnKeys(policy, parts)
  const own = embedded.length === 0 ? null : await openOwnWitness(config, parts)
  const peers = peersOf(policy, new Map(own === null ? [] : embedded.map((name) => [name, own])))
  if (!quorumMet(policy, new Set(peers.keys()))) {
    throw wrong(
      'The quorum of WITNESS_POLICY can never be met: too few of its witnesses have a URL at which to ask them',
    )
  }
  return { policy, peers, own: new Set([...config.ownWitnesses, ...embedded]) }
}

async function openOwnWitness(config: Config, parts: WitnessingParts): Promise<Witness> {
  const { log, witnessSigners, now, logger, teardown } = parts
  const state = await openWitnessState(join(config.dataDir, 'witness'))
  teardown.add(() => state.close())
  return createWitness({
    name: ownWitnessName(log.origin),
    signers: witnessSigners,
    logs: keysOf(log),
    state,
    now,
    report: (event) => {
      if (event.event === 'inconsistent') logger.error({ size: event.size }, `the city's witness: ${event.detail}`)
      if (event.event === 'failed') logger.error({ err: event.error }, "the city's witness failed")
    },
  })
}

function keysOf({ origin, signers }: WitnessingParts['log']): VerifierKey[] {
  return signers.map(({ publicKey }) => verifierKey(origin, publicKey))
}

function ownWitnessName(logOrigin: string): string {
  return `${logOrigin}/witness`
}

/** Both of its keys have to cosign, so that what was published outlives the breaking of either algorithm. */
function ownPolicy({ keys }: Witness, log: WitnessingParts['log'], publicUrl: string): TrustPolicy {
  const logs = keysOf(log).map((key) => ({ key, url: `${publicUrl}/log` }))
  const witnesses = keys.map((key) => ({ name: `own-${key.type}`, key, url: null }))
  const members = witnesses.map(({ name }) => name)
  return { logs, witnesses, groups: [{ name: 'own', threshold: members.length, members }], quorum: 'own' }
}

async function readPolicy(file: string): Promise<TrustPolicy> {
  let bytes: Uint8Array
  try {
    bytes = await readFile(file)
  } catch (cause) {
    throw wrong(`WITNESS_POLICY ${file} cannot be read`, cause)
  }
  try {
    return parseTrustPolicy(fromUtf8(bytes))
  } catch (cause) {
    if (!isProblem(cause)) throw cause
    throw wrong(`WITNESS_POLICY ${file}: ${cause.message}`, cause)
  }
}

/** A policy that is about logs has to be about this one. */
function requireOwnLog({ logs }: TrustPolicy, log: WitnessingParts['log']): void {
  const own = keysOf(log)
  if (logs.length > 0 && !logs.some(({ key }) => own.some(({ id }) => equalBytes(id, key.id))))
    throw wrong('WITNESS_POLICY names logs, but not the log of this city')
}

/** The city's own witness may have a place in a policy with others. */
function namesOfOwnKeys({ witnesses }: TrustPolicy, { log, witnessSigners }: WitnessingParts): string[] {
  const own = witnessSigners.map(({ publicKey }) => cosignerKey(ownWitnessName(log.origin), publicKey))
  return witnesses.filter(({ key }) => own.some(({ id }) => equalBytes(id, key.id))).map(({ name }) => name)
}

/** Witnesses of the policy at one URL are the keys of one witness, and are asked once. */
function peersOf({ witnesses }: TrustPolicy, embedded: ReadonlyMap<string, Witness>): Map<string, WitnessPeer> {
  const byUrl = new Map<string, WitnessPeer>()
  const peers = new Map<string, WitnessPeer>(embedded)
  for (const { name, url } of witnesses) {
    if (url === null || peers.has(name)) continue
    const peer = byUrl.get(url) ?? httpPeer(name, url)
    byUrl.set(url, peer)
    peers.set(name, peer)
  }
  return peers
}

function httpPeer(name: string, url: string): WitnessPeer {
  try {
    return httpWitnessPeer({ url, timeoutMilliseconds: witnessTimeoutMilliseconds })
  } catch (cause) {
    if (!isProblem(cause)) throw cause
    throw wrong(`The URL of the witness ${name} in WITNESS_POLICY: ${cause.message}`, cause)
  }
}

function wrong(detail: string, cause?: unknown): Problem {
  return new Problem('invalid-configuration', { detail, cause })
}
