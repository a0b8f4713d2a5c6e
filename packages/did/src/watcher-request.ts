import { canonicalBytes, sha256, toBase58 } from '@tillit/codec'
import { parseMultikey, type Signer, toMultikey, verifySignature } from '@tillit/keys'
import { isProblem, Problem } from '@tillit/problem'
import { messageOf, signatureOf } from './data-integrity.ts'
import { parseUtc } from './version-time.ts'

/** How old a request may be, and how far clocks may differ: a proof that was kept cannot be used later. */
const lifeSeconds = 300

/** Members with meaning that is not understood here make a proof invalid. */
const proofMembers = new Set([
  '@context',
  'id',
  'type',
  'cryptosuite',
  'verificationMethod',
  'created',
  'proofPurpose',
  'challenge',
  'domain',
  'proofValue',
])

/**
 * What a controller sends to a watcher (did:webvh v1.0, Watcher OpenAPI, `VerifiablePresentation`): an empty presentation,
 * proved with an update key of the DID.
 */
export interface WatcherRequest {
  readonly proof: Readonly<Record<string, unknown>>
  readonly [member: string]: unknown
}

export interface WatcherRequestOptions {
  readonly scid: string
  /** URL of the watcher. */
  readonly domain: string
  readonly signer: Signer
  readonly now: Date
}

/** The body for `/log/delete`, `/resource` and `/resource/delete`. Throws Problem unsupported-algorithm. */
export async function signWatcherRequest({
  scid,
  domain,
  signer,
  now,
}: WatcherRequestOptions): Promise<WatcherRequest> {
  if (signer.alg !== 'EdDSA')
    throw new Problem('unsupported-algorithm', { detail: 'A did:webvh is controlled with Ed25519 keys' })
  const context = ['https://www.w3.org/ns/credentials/v2']
  const presentation = { '@context': context, type: 'VerifiablePresentation' }
  const multikey = toMultikey(signer.publicKey)
  const options = {
    // Data Integrity EdDSA Cryptosuites v1.0, section 3.3.1, step 2: the context of the document stands in the proof too.
    '@context': context,
    type: 'DataIntegrityProof',
    cryptosuite: 'eddsa-jcs-2022',
    verificationMethod: `did:key:${multikey}#${multikey}`,
    created: now.toISOString(),
    proofPurpose: 'authentication',
    challenge: scid,
    domain,
  }
  const signature = await signer.sign(messageOf(options, sha256(canonicalBytes(presentation))))
  return { ...presentation, proof: { ...options, proofValue: `z${toBase58(signature)}` } }
}

/**
 * Verifies that a request was made just now, for this DID and this watcher (`isOwnDomain`), by one of `updateKeys`
 * (multikeys). Throws Problem invalid-proof, role-required for a key that is not one of them, weak-key or invalid-key.
 */
export function verifyWatcherRequest(
  { proof, ...document }: WatcherRequest,
  options: { scid: string; isOwnDomain: (domain: string) => boolean; updateKeys: readonly string[]; now: Date },
): void {
  const { proofValue, ...proofOptions } = proof
  for (const name of Object.keys(proof)) if (!proofMembers.has(name)) throw invalid('has a member that is not known')
  if (proof.type !== 'DataIntegrityProof' || proof.cryptosuite !== 'eddsa-jcs-2022')
    throw invalid('is not a DataIntegrityProof with eddsa-jcs-2022')
  if (proof.proofPurpose !== 'authentication') throw invalid('is not for authentication')
  if (proof.challenge !== options.scid) throw invalid('is about another DID')
  if (typeof proof.domain !== 'string' || !options.isOwnDomain(proof.domain)) throw invalid('is for another watcher')
  const created = parseUtc(proof.created)
  if (created === null || Math.abs(options.now.getTime() - created) > lifeSeconds * 1000)
    throw invalid('is outside its time')
  if (proof['@context'] !== undefined && !sameJson(proof['@context'], document['@context']))
    throw invalid('has another context than what it proves')
  const key = parseMultikey(multikeyOf(proof.verificationMethod, options.updateKeys))
  const message = messageOf(proofOptions, sha256(canonicalBytes(document)))
  if (!verifySignature(key, message, readSignature(proofValue))) throw invalid('does not verify')
}

function multikeyOf(method: unknown, updateKeys: readonly string[]): string {
  // The OpenAPI names the did:key alone; a verification method of a did:key has its key as fragment too.
  const named = updateKeys.find((key) => method === `did:key:${key}` || method === `did:key:${key}#${key}`)
  if (named === undefined) throw new Problem('role-required', { detail: 'The key is not one that may update the DID' })
  return named
}

function readSignature(proofValue: unknown): Uint8Array {
  try {
    return signatureOf(proofValue, '/proof/proofValue')
  } catch (cause) {
    if (!isProblem(cause)) throw cause
    throw invalid('has a value that is not multibase base58', cause)
  }
}

function sameJson(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other)
}

function invalid(what: string, cause?: unknown): Problem {
  return new Problem('invalid-proof', { detail: `The proof ${what}`, pointer: '/proof', cause })
}
