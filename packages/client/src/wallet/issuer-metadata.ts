import type { Json } from '@tillit/codec'
import { resolveDocument } from '@tillit/credential'
import { verificationKeys } from '@tillit/did'
import { parseJws, verifyJws } from '@tillit/keys'
import { Problem } from '@tillit/problem'
import { ask, checkedUrl, jsonOf } from './ask.ts'
import { type AuthorizationServer, endpointIn, readAuthorizationServer, wellKnown } from './authorization-server.ts'
import { isObject, type JsonObject, type Members, readMembers } from './read-members.ts'
import type { WalletContext } from './wallet-context.ts'
import type { CredentialFormat } from './wallet-store.ts'

const signedType = 'openidvci-issuer-metadata+jwt'
const formats: readonly CredentialFormat[] = ['dc+sd-jwt']

/** A credential that an issuer can hand out, as far as this wallet understands it. */
export interface CredentialConfiguration {
  readonly id: string
  readonly format: CredentialFormat
  /** `vct` of an SD-JWT VC. */
  readonly vct: string | null
  readonly scope: string | null
  /** Algorithms of jwt proofs that the issuer takes; null: it wants no proof of that kind. */
  readonly proofAlgorithms: readonly string[] | null
  readonly keyAttestationRequired: boolean
  readonly display: readonly JsonObject[]
}

/** Section 10: how messages to and from the issuer can be encrypted. */
export interface Encryption {
  /** Key agreements, where the wallet brings the key. */
  readonly algorithms: readonly string[]
  readonly encodings: readonly string[]
  readonly required: boolean
  /** The issuer's keys, where it brings them. */
  readonly jwks: Json | undefined
}

/** OpenID4VCI 1.0 section 12.2 with the metadata of the authorization server (RFC 8414). Every URL in it was checked. */
export interface IssuerMetadata {
  readonly credentialIssuer: string
  readonly credentialEndpoint: string
  readonly nonceEndpoint: string | null
  readonly deferredEndpoint: string | null
  readonly notificationEndpoint: string | null
  /** Most keys in one request. */
  readonly batchSize: number
  readonly requestEncryption: Encryption | null
  readonly responseEncryption: Encryption | null
  readonly configurations: ReadonlyMap<string, CredentialConfiguration>
  readonly display: readonly JsonObject[]
  /** Whether the issuer names its authorization servers: then these have to be told which issuer is meant (section 5.1.1). */
  readonly namesServers: boolean
  /** The DID whose key signed the metadata, or null: only the TLS connection vouches for it. */
  readonly signedBy: string | null
  readonly authorizationServer: AuthorizationServer
}

/**
 * Reads what an issuer says of itself and of its authorization server, signed where it signs it. Throws Problem
 * invalid-issuer-metadata (also when it is that of another issuer), invalid-signature, invalid-request, CityError, and what
 * resolving the signer throws.
 */
export async function readIssuerMetadata(
  credentialIssuer: string,
  context: WalletContext,
  options: { authorizationServer?: string | null } = {},
): Promise<IssuerMetadata> {
  const answer = await ask(context.fetch, wellKnown(credentialIssuer, 'openid-credential-issuer'), {
    headers: { accept: 'application/jwt, application/json;q=0.5' },
  })
  const signed = answer.mediaType === 'application/jwt' && answer.status === 200
  const { value, signedBy } = signed
    ? await verifySigned(answer.text, credentialIssuer, context)
    : { value: jsonOf(answer), signedBy: null }
  const metadata = readMembers(value, malformed)
  // Section 12.2.4: exactly the identifier that was asked, or it is the metadata of somebody else.
  if (metadata.text('credential_issuer') !== credentialIssuer) throw malformed('The metadata is that of another issuer')
  const named = metadata.optionalTexts('authorization_servers')
  const servers = named ?? [credentialIssuer]
  const wanted = options.authorizationServer ?? servers[0] ?? credentialIssuer
  if (!servers.includes(wanted)) throw malformed('The issuer does not use that authorization server')
  const batch = metadata.optionalObject('batch_credential_issuance')
  return {
    credentialIssuer,
    credentialEndpoint: checkedUrl(metadata.text('credential_endpoint')),
    nonceEndpoint: endpointIn(metadata, 'nonce_endpoint'),
    deferredEndpoint: endpointIn(metadata, 'deferred_credential_endpoint'),
    notificationEndpoint: endpointIn(metadata, 'notification_endpoint'),
    batchSize: batch === null ? 1 : (readMembers(batch, malformed).optionalNumber('batch_size') ?? 1),
    requestEncryption: encryptionOf(metadata, 'credential_request_encryption'),
    responseEncryption: encryptionOf(metadata, 'credential_response_encryption'),
    configurations: configurationsOf(metadata),
    display: (metadata.optionalList('display') ?? []).filter(isObject),
    namesServers: named !== null,
    signedBy,
    authorizationServer: await readAuthorizationServer(wanted, context),
  }
}

/** Section 12.2.3: `sub` is the issuer; here the key is one of a DID that `kid` names. */
async function verifySigned(
  token: string,
  credentialIssuer: string,
  { resolveDid, now }: WalletContext,
): Promise<{ value: Json; signedBy: string }> {
  const { header, payload } = parseJws(token)
  const [did = ''] = typeof header.kid === 'string' ? header.kid.split('#') : []
  if (!did.startsWith('did:')) throw malformed('The signed metadata does not name a DID’s key')
  const document = await resolveDocument(did, resolveDid)
  const key = verificationKeys(document, 'assertionMethod').find(({ id }) => id === header.kid)?.key
  if (key === undefined) throw malformed('The metadata is signed by a key that its signer does not have')
  verifyJws(token, key, { typ: signedType })
  if (payload.sub !== credentialIssuer) throw malformed('The signed metadata is that of another issuer')
  const { exp } = payload
  if (exp !== undefined && (typeof exp !== 'number' || exp * 1000 <= now().getTime()))
    throw malformed('The signed metadata has expired')
  return { value: { ...payload }, signedBy: did }
}

/** Formats that this wallet does not keep are left out. */
function configurationsOf(metadata: Members): Map<string, CredentialConfiguration> {
  const all = metadata.optionalObject('credential_configurations_supported')
  if (all === null) throw malformed('The issuer names no credentials')
  const configurations = new Map<string, CredentialConfiguration>()
  for (const [id, value] of Object.entries(all)) {
    const configuration = readMembers(value, malformed)
    const format = formats.find((known) => known === configuration.text('format'))
    if (format === undefined) continue
    const proofTypes = configuration.optionalObject('proof_types_supported')
    const jwt = proofTypes?.jwt === undefined ? null : readMembers(proofTypes.jwt, malformed)
    const metadataOfCredential = configuration.optionalObject('credential_metadata')
    configurations.set(id, {
      id,
      format,
      vct: configuration.optionalText('vct'),
      scope: configuration.optionalText('scope'),
      proofAlgorithms: jwt === null ? null : (jwt.optionalTexts('proof_signing_alg_values_supported') ?? []),
      keyAttestationRequired: jwt !== null && jwt.optionalObject('key_attestations_required') !== null,
      display: listOfObjects(metadataOfCredential?.display),
    })
  }
  return configurations
}

function encryptionOf(metadata: Members, name: string): Encryption | null {
  const member = metadata.optionalObject(name)
  if (member === null) return null
  const encryption = readMembers(member, malformed)
  return {
    algorithms: encryption.optionalTexts('alg_values_supported') ?? [],
    encodings: encryption.optionalTexts('enc_values_supported') ?? [],
    required: encryption.optionalFlag('encryption_required') === true,
    jwks: encryption.object.jwks,
  }
}

function listOfObjects(value: Json | undefined): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : []
}

/** A configuration that the wallet can receive. Throws Problem feature-not-supported. */
export function configurationOf({ configurations }: IssuerMetadata, id: string): CredentialConfiguration {
  const configuration = configurations.get(id)
  if (configuration !== undefined) return configuration
  throw new Problem('feature-not-supported', {
    detail: 'The issuer does not describe what it offers, or in a format that this wallet does not keep',
  })
}

function malformed(detail: string): Problem {
  return new Problem('invalid-issuer-metadata', { detail })
}
