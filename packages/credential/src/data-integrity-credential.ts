import type { Signer } from '@tillit/keys'
import { Problem } from '@tillit/problem'
import {
  type AuthenticVcdm,
  requireInTime,
  statusReferencesOf,
  type VcdmAuthenticationOptions,
} from './authentic-vcdm.ts'
import { addProof, readProof } from './data-integrity.ts'
import { resolveKey, withIssuerKeys } from './resolve-key.ts'
import { validateVcdm2 } from './validate-vcdm2.ts'
import { type VcdmIssuance, vcdmDocument } from './vcdm-document.ts'
import { type JsonObject, malformed, objectAt } from './vcdm-members.ts'

/**
 * Issues a credential of one of our types with a proof in it (eddsa-jcs-2022). Its holder is named by `credentialSubject.id`.
 * Throws Problem invalid-credential, weak-key, invalid-key or unsupported-algorithm.
 */
export async function issueDataIntegrity({
  keyId,
  signer,
  ...issuance
}: VcdmIssuance & { keyId: string; signer: Signer }): Promise<JsonObject> {
  const { issuedAt: created } = issuance
  return addProof(vcdmDocument(issuance), { keyId, signer, purpose: 'assertionMethod', created })
}

/**
 * Is it authentic? A conforming document in its time with a proof by an assertion key of its issuer's DID. Throws the Problems
 * of authenticateVcJwt.
 */
export async function authenticateDataIntegrity(
  input: unknown,
  options: VcdmAuthenticationOptions,
): Promise<AuthenticVcdm> {
  const document = objectAt(input, '')
  const credential = validateVcdm2(document, options)
  const { issuer, validFrom } = credential
  const proof = readProof(document, { purpose: 'assertionMethod', now: options.now })
  if (!issuer.startsWith('did:')) throw malformed('The issuer is not a DID', '/issuer')
  const issuerKey = await withIssuerKeys(options.resolveDid, validFrom ?? proof.created, async (resolveDid) => {
    const key = await resolveKey(issuer, proof.keyId, { resolveDid, relationship: 'assertionMethod' })
    if (key.alg !== 'EdDSA') throw new Problem('unsupported-algorithm', { pointer: '/proof/verificationMethod' })
    if (!proof.isSignedBy(key)) throw new Problem('invalid-credential-signature')
    return key
  })
  requireInTime(credential, options.now)
  return {
    ...credential,
    format: 'eddsa-jcs-2022',
    keyId: proof.keyId,
    issuerKey,
    statusReferences: statusReferencesOf(credential.statuses),
  }
}
