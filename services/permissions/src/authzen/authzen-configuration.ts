import type { AuthzenConfiguration } from '@tillit/schemas'
import type { PermissionsPorts } from '../ports.ts'

/** How long others may keep the metadata, and how long one signature is given out. */
export const metadataMaxAgeSeconds = 3_600
const signatureLifeSeconds = 86_400

export const accessPaths = {
  access_evaluation_endpoint: '/access/v1/evaluation',
  access_evaluations_endpoint: '/access/v1/evaluations',
  search_subject_endpoint: '/access/v1/search/subject',
  search_resource_endpoint: '/access/v1/search/resource',
  search_action_endpoint: '/access/v1/search/action',
} as const

export const configurationPath = '/.well-known/authzen-configuration'

/**
 * Policy decision point metadata (AuthZEN section 9), from the configured URL and never from what a request says. The same is signed by
 * the authority, whose DID is `iss`; a signature is used again until it is an hour old, so that asking costs none.
 */
export function createAuthzenConfiguration({
  publicUrl,
  authorityDid,
  signAsAuthority,
  now,
}: Pick<
  PermissionsPorts,
  'publicUrl' | 'authorityDid' | 'signAsAuthority' | 'now'
>): () => Promise<AuthzenConfiguration> {
  const metadata = {
    policy_decision_point: publicUrl,
    access_evaluation_endpoint: publicUrl + accessPaths.access_evaluation_endpoint,
    access_evaluations_endpoint: publicUrl + accessPaths.access_evaluations_endpoint,
    search_subject_endpoint: publicUrl + accessPaths.search_subject_endpoint,
    search_resource_endpoint: publicUrl + accessPaths.search_resource_endpoint,
    search_action_endpoint: publicUrl + accessPaths.search_action_endpoint,
  }
  let signed: { at: number; jwt: Promise<string> } | null = null
  const sign = (at: number): Promise<string> =>
    signAsAuthority('authzen-configuration+jwt', {
      ...metadata,
      ...{ iss: authorityDid, iat: at, exp: at + signatureLifeSeconds },
    })
  return async () => {
    const at = Math.floor(now().getTime() / 1000)
    if (signed === null || Math.abs(at - signed.at) >= metadataMaxAgeSeconds) signed = { at, jwt: sign(at) }
    const mine = signed
    try {
      return { ...metadata, signed_metadata: await mine.jwt }
    } catch (error) {
      if (signed === mine) signed = null // the next request tries again
      throw error
    }
  }
}
