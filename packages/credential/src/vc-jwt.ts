import {
  type ParsedJws,
  parseJws,
  parsePublicJwk,
  type Signer,
  signJws,
  toPublicJwk,
  verifySignature,
} from '@tillit/keys'
import { isProblem, Problem } from '@tillit/problem'
import {
  type AuthenticVcdm,
  requireInTime,
  statusReferencesOf,
  type VcdmAuthenticationOptions,
} from './authentic-vcdm.ts'
import { resolveKey, withIssuerKeys } from './resolve-key.ts'
import { validateVcdm2 } from './validate-vcdm2.ts'
import { type VcdmIssuance, vcdmDocument } from './vcdm-document.ts'
import { type JsonObject, malformed } from './vcdm-members.ts'

/** How far clocks may differ. An end gets no grace. */
const skewSeconds = 60

/** Signs a document of the data model 2.0 as it is (VC-JOSE-COSE section 3.1.1, `vc+jwt`). */
export function secureVcJwt(
  document: JsonObject,
  { keyId, signer }: { keyId: string; signer: Signer },
): Promise<string> {
  return signJws({ typ: 'vc+jwt', cty: 'vc', kid: keyId }, document, signer)
}

/**
 * Issues a credential of one of our types as `vc+jwt`, bound to the holder's key by `cnf`. Throws Problem invalid-credential,
 * weak-key or invalid-key.
 */
export async function issueVcJwt({
  keyId,
  signer,
  ...issuance
}: VcdmIssuance & { keyId: string; signer: Signer }): Promise<string> {
  const cnf = { jwk: toPublicJwk(parsePublicJwk(issuance.holderJwk)) }
  return secureVcJwt({ ...vcdmDocument(issuance), cnf }, { keyId, signer })
}

/**
 * Is it authentic? Signed by an assertion key of its issuer's DID, a conforming document, in its time. Throws Problem
 * invalid-credential, invalid-credential-signature, unsupported-algorithm, credential-expired, status-unknown, weak-key,
 * invalid-key and what resolving the DID throws.
 */
export async function authenticateVcJwt(jwt: string, options: VcdmAuthenticationOptions): Promise<AuthenticVcdm> {
  const jws = parse(jwt)
  const { header, payload } = jws
  if (header.typ !== 'vc+jwt') throw malformed('The credential is not of type vc+jwt', '/typ')
  if (header.cty !== undefined && header.cty !== 'vc') throw malformed('The content is not a credential', '/cty')
  // VC-JOSE-COSE section 1.1.2.1: those are of the data model 1.1, which says other things with the same members.
  if ('vc' in payload || 'vp' in payload)
    throw malformed('The claims vc and vp do not belong to the data model 2.0', '/vc')
  const credential = validateVcdm2(payload, options)
  const { issuer, validFrom } = credential
  for (const iss of [header.iss, payload.iss])
    if (iss !== undefined && iss !== issuer) throw malformed('The claim iss names another issuer', '/iss')
  if (!issuer.startsWith('did:')) throw malformed('The issuer is not a DID', '/issuer')
  const { kid } = header
  if (typeof kid !== 'string') throw malformed('The key is not named', '/kid')
  const issuerKey = await withIssuerKeys(options.resolveDid, validFrom, async (resolveDid) => {
    const key = await resolveKey(issuer, kid, { resolveDid, relationship: 'assertionMethod' })
    if (header.alg !== key.alg) throw new Problem('unsupported-algorithm', { pointer: '/alg' })
    if (!verifySignature(key, jws.signingInput, jws.signature)) throw new Problem('invalid-credential-signature')
    return key
  })
  requireInTime(credential, options.now)
  requireClaimsInTime(payload, options.now)
  return {
    ...credential,
    format: 'vc+jwt',
    keyId: kid.startsWith('#') ? issuer + kid : kid,
    issuerKey,
    statusReferences: statusReferencesOf(credential.statuses),
  }
}

/** The registered claims of RFC 7519 bound the time of the signature, beside that of the credential. */
export function requireClaimsInTime({ nbf, iat, exp }: ParsedJws['payload'], now: Date): void {
  const seconds = now.getTime() / 1000
  const begin = Math.max(numericDate(nbf, '/nbf') ?? 0, numericDate(iat, '/iat') ?? 0)
  const end = numericDate(exp, '/exp')
  if (begin > seconds + skewSeconds || (end !== null && end <= seconds)) throw new Problem('credential-expired')
}

function numericDate(value: unknown, pointer: string): number | null {
  if (value === undefined) return null
  if (typeof value !== 'number') throw malformed('A time is not a number', pointer)
  return value
}

function parse(jwt: string): ParsedJws {
  try {
    return parseJws(jwt)
  } catch (cause) {
    if (isProblem(cause, 'invalid-jws')) throw new Problem('invalid-credential', { detail: cause.message, cause })
    throw cause
  }
}
