import {
  type AuthenticVcdm,
  authenticatePresentation,
  authenticateVcdm,
  authenticClaims,
  decideTrust,
  refuseUnlessValid,
} from '@tillit/credential'
import { thumbprint } from '@tillit/keys'
import { Problem } from '@tillit/problem'
import type {
  VcApiCredentialResult,
  VcApiFinding,
  VcApiPresentationResult,
  VcApiVerifyCredentialRequest,
  VcApiVerifyPresentationRequest,
} from '@tillit/schemas'
import type { Context } from '../ports.ts'
import { verificationOptions } from '../verify-credential.ts'
import { findingIn, findingOf, notVerified } from './vc-api-errors.ts'

type Options = Awaited<ReturnType<typeof verificationOptions>>

/**
 * Verifies a credential of any type (W3C VC-API): proof, conformance, time, status. Whether this city trusts its issuer for it
 * is a warning and no error, as VC-API leaves that to whoever asks. Throws Problem invalid-credential with what was found.
 */
export async function verifyVcApiCredential(
  context: Context,
  { verifiableCredential }: VcApiVerifyCredentialRequest,
): Promise<VcApiCredentialResult> {
  try {
    return await resultOf(verifiableCredential, await verificationOptions(context))
  } catch (error) {
    throw notVerified([findingIn(error)])
  }
}

/**
 * Verifies a presentation, for the challenge and domain when they are given, and each credential in it. Throws Problem
 * invalid-credential with all that was found.
 */
export async function verifyVcApiPresentation(
  context: Context,
  { verifiablePresentation, options: { challenge, domain } = {} }: VcApiVerifyPresentationRequest,
): Promise<VcApiPresentationResult> {
  const options = await verificationOptions(context)
  const presentation = await authenticatePresentation(verifiablePresentation, {
    ...options,
    ...(challenge === undefined ? {} : { nonce: challenge }),
    ...(domain === undefined ? {} : { audience: domain }),
  }).catch((error) => {
    throw notVerified([findingIn(error)])
  })
  const problems: Problem[] = []
  const credentialResults: VcApiCredentialResult[] = []
  for (const [index, credential] of presentation.credentials.entries()) {
    try {
      credentialResults.push(await resultOf(credential, options))
    } catch (error) {
      problems.push(within(findingIn(error), `/verifiableCredential/${index}`))
    }
  }
  if (problems.length > 0) throw notVerified(problems)
  const { document, holder } = presentation
  return { verified: true, document, controller: holder, credentialResults, errors: [] }
}

async function resultOf(input: unknown, options: Options): Promise<VcApiCredentialResult> {
  const authentic = await authenticateVcdm(input, options)
  if (authentic.statusReferences.length > 0) await refuseUnlessValid(authentic, options.status)
  const { document, issuer, issuerKey } = authentic
  if (await options.trust.keyIsCompromised(issuer, thumbprint(issuerKey)))
    throw new Problem('untrusted-issuer', { detail: 'The key of the issuer was reported as compromised' })
  return { verified: true, document, controller: issuer, warnings: await warningsAbout(authentic, options), errors: [] }
}

async function warningsAbout(authentic: AuthenticVcdm, options: Options): Promise<VcApiFinding[]> {
  try {
    await decideTrust(authenticClaims(authentic), options)
    return []
  } catch (error) {
    return [findingOf(findingIn(error))]
  }
}

function within(problem: Problem, pointer: string): Problem {
  return new Problem(problem.code, {
    detail: problem.message,
    pointer: pointer + (problem.pointer ?? ''),
    cause: problem,
  })
}
