import { createResolver } from '@tillit/did'
import { parseJws } from '@tillit/keys'
import { Problem } from '@tillit/problem'
import type { DidResolutionResult } from '@tillit/schemas'
import type { AuthenticClaims } from './authentic-credential.ts'
import { bitstringValueAt, type Gunzip } from './bitstring-status-list.ts'
import { verifyBitstringStatusList } from './bitstring-status-list-credential.ts'
import type { CredentialStatus } from './credential-status.ts'
import { verifyCompromisedKeys } from './key-compromise.ts'
import type { ResolveDid } from './resolve-key.ts'
import { type Inflate, statusAt } from './status-list.ts'
import { verifyStatusList } from './status-list-token.ts'
import { type CredentialVerificationOptions, verifyCredential } from './verify-credential.ts'

/** All that verifying takes, as it was fetched. Whoever hands it over is not trusted: every part is verified. */
export interface TrustBundle {
  /** OrganisationCredentials by the DID of the organisation. */
  accreditations: { readonly [did: string]: string }
  /** Status List Tokens and BitstringStatusListCredentials by their address. */
  statusLists: { readonly [uri: string]: string }
  /** `did.jsonl` and, where witnesses are named, `did-witness.json` of each did:webvh. */
  didLogs: { readonly [did: string]: { readonly log: string; readonly witness: string | null } }
  /** The signed list of compromised keys. */
  compromisedKeys: string
}

/** What the verifier brings along; never taken from the bundle. */
export interface TrustAnchors {
  rootDid: string
  authorityDids: readonly string[]
  now: Date
  /** How old what the bundle says of status and keys may be, in seconds: what happened since is not seen. */
  maxStatusAgeSeconds: number
  inflate: Inflate
  gunzip: Gunzip
  keyBinding?: { audience: string; nonce: string }
}

export interface VerifiedOffline extends AuthenticClaims {
  status: 'valid'
  /** The oldest of the statements about status and keys that the verdict rests on: it holds as of then. */
  statusAsOf: Date
}

/**
 * Verifies a credential in any format without a network: as verifyCredential, with everything from the bundle. Throws its
 * Problems, with status-unknown where something is missing or older than the bound that the verifier states.
 */
export async function verifyOffline(
  credential: unknown,
  bundle: TrustBundle,
  anchors: TrustAnchors,
): Promise<VerifiedOffline> {
  const { options, statusAsOf } = await offlineOptions(bundle, anchors)
  const verified = await verifyCredential(credential, options)
  return { ...verified, statusAsOf: statusAsOf() }
}

/** The options under which any verifying function works on a bundle, and as of when what they told by then holds. */
export async function offlineOptions(
  bundle: TrustBundle,
  anchors: TrustAnchors,
): Promise<{ options: CredentialVerificationOptions; statusAsOf: () => Date }> {
  const { rootDid, authorityDids, now, maxStatusAgeSeconds, inflate, gunzip, keyBinding } = anchors
  const resolveDid = resolverOver(bundle, now)
  const common = { issuerDids: authorityDids, resolveDid, now, maxAgeSeconds: maxStatusAgeSeconds }
  const { isCompromised, asOf } = await verifyCompromisedKeys(bundle.compromisedKeys, common)
  let oldest = asOf
  const readAt = (time: Date) => {
    if (time < oldest) oldest = time
  }
  const status = async (uri: string, idx: number): Promise<CredentialStatus> => {
    const text = Object.hasOwn(bundle.statusLists, uri) ? bundle.statusLists[uri] : undefined
    if (text === undefined) throw new Problem('status-unknown', { detail: 'The bundle has no such status list' })
    if (parseJws(text).header.typ === 'vc+jwt') {
      const list = await verifyBitstringStatusList(text, { ...common, uri, gunzip })
      readAt(list.asOf)
      if (bitstringValueAt(list.bitstring, idx) === 0) return 'valid'
      return list.purpose === 'revocation' ? 'revoked' : 'suspended'
    }
    const list = await verifyStatusList(text, { ...common, uri, inflate })
    readAt(list.asOf)
    return statusAt(list, idx)
  }
  return {
    options: {
      resolveDid,
      now,
      status,
      trust: {
        rootDid,
        authorityDids,
        accreditationOf: async (did) =>
          Object.hasOwn(bundle.accreditations, did) ? (bundle.accreditations[did] ?? null) : null,
        keyIsCompromised: isCompromised,
      },
      ...(keyBinding === undefined ? {} : { keyBinding }),
    },
    statusAsOf: () => oldest,
  }
}

/** did:key and did:jwk say it all by themselves; a did:webvh is verified from its log, at any of its versions. */
function resolverOver({ didLogs }: TrustBundle, now: Date): ResolveDid {
  const logOf = (did: string) => (Object.hasOwn(didLogs, did) ? didLogs[did] : undefined)
  const resolver = createResolver({
    webvhLog: async (did) => logOf(did)?.log ?? null,
    webvhWitness: async (did) => logOf(did)?.witness ?? null,
    fetchText: null,
    now: () => now,
  })
  return async (did, { versionTime } = {}): Promise<DidResolutionResult> => ({
    ...(await resolver.resolve(did, versionTime === undefined ? {} : { versionTime })),
  })
}
