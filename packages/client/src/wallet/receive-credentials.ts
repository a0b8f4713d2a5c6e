import { thumbprint } from '@tillit/keys'
import { Problem } from '@tillit/problem'
import { keepPromise } from './collect-deferred.ts'
import { type CredentialConfiguration, configurationOf, type IssuerMetadata } from './issuer-metadata.ts'
import { keepIssued } from './keep-issued.ts'
import { type CredentialName, requestCredentials } from './request-credentials.ts'
import type { Authorization } from './request-token.ts'
import type { WalletContext } from './wallet-context.ts'
import type { DeferredCredential, HeldCredential, KeyAlgorithm, WalletKey } from './wallet-store.ts'

/** What came into the wallet, and what was only promised. */
export interface Received {
  readonly credentials: readonly HeldCredential[]
  readonly deferred: readonly DeferredCredential[]
}

/**
 * Receives every credential that a token is good for under these configurations: a key for each, its proof, the credential
 * checked and kept, the issuer told. `copies` of each, as far as the issuer gives several at once. Throws CityError, Problem
 * invalid-issuer-metadata, feature-not-supported and what is wrong with a credential; what was kept before stays.
 */
export async function receiveCredentials(
  context: WalletContext,
  metadata: IssuerMetadata,
  authorization: Authorization,
  { configurationIds, copies }: { configurationIds: readonly string[]; copies: number },
): Promise<Received> {
  const received: Receiving = { credentials: [], deferred: [] }
  try {
    for (const configurationId of configurationIds) {
      await receiveConfiguration(context, metadata, authorization, { configurationId, copies, received })
    }
    return received
  } finally {
    // The key of a token that nothing will be asked with any more.
    if (received.deferred.length === 0) await context.store.removeKey(authorization.dpopKeyId)
  }
}

interface Receiving {
  readonly credentials: HeldCredential[]
  readonly deferred: DeferredCredential[]
}

async function receiveConfiguration(
  context: WalletContext,
  metadata: IssuerMetadata,
  authorization: Authorization,
  { configurationId, copies, received }: { configurationId: string; copies: number; received: Receiving },
): Promise<void> {
  const configuration = configurationOf(metadata, configurationId)
  for (const name of namesOf(authorization, configurationId)) {
    const keys = await keysFor(context, configuration, Math.min(copies, metadata.batchSize))
    const issuance = await orRemoveKeys(context, keys, () =>
      requestCredentials(context, metadata, authorization, {
        name,
        keys,
        attested: configuration.keyAttestationRequired,
      }),
    )
    const keyIds = keys.map(({ id }) => id)
    if (issuance.kind === 'deferred') {
      received.deferred.push(await keepPromise(context, { metadata, authorization, configurationId, keyIds, issuance }))
    } else {
      const kept = await keepIssued(context, metadata, authorization, { configuration, keyIds, issuance })
      received.credentials.push(...kept)
    }
  }
}

/** Section 6.2: identifiers that came with the token are to be used; without them the configuration names the credential. */
function namesOf({ credentialIdentifiers }: Authorization, configurationId: string): CredentialName[] {
  const identifiers = credentialIdentifiers.get(configurationId) ?? []
  return identifiers.length === 0
    ? [{ credential_configuration_id: configurationId }]
    : identifiers.map((identifier) => ({ credential_identifier: identifier }))
}

/** A new key for each copy, so that verifiers cannot link one to the other; a DID has its own. */
async function keysFor(
  { identity, store, keyAlgorithm, attestKeys }: WalletContext,
  { proofAlgorithms, keyAttestationRequired }: CredentialConfiguration,
  copies: number,
): Promise<WalletKey[]> {
  if (keyAttestationRequired && attestKeys === null)
    throw unsupported('The issuer wants proof of where the wallet keeps its keys')
  if (identity !== null) return [{ id: thumbprint(identity.signer.publicKey), signer: identity.signer }]
  const known: readonly KeyAlgorithm[] = [keyAlgorithm, 'ES256', 'EdDSA']
  const alg = known.find((one) => proofAlgorithms?.includes(one))
  if (alg === undefined) throw unsupported('The issuer takes no key that this wallet can make')
  const keys: WalletKey[] = []
  for (let copy = 0; copy < copies; copy++) keys.push(await store.createKey(alg))
  return keys
}

/** A key for which nothing was issued is of no use to anybody. */
async function orRemoveKeys<T>(context: WalletContext, keys: readonly WalletKey[], work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    for (const { id } of keys) await context.store.removeKey(id)
    throw error
  }
}

function unsupported(detail: string): Problem {
  return new Problem('feature-not-supported', { detail })
}
