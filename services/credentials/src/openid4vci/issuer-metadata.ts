import { signJws } from '@tillit/keys'
import { Problem } from '@tillit/problem'
import { maxBatchSize } from '@tillit/schemas'
import type { Context } from '../ports.ts'
import { statusListAggregationUri } from '../status-list-uri.ts'
import { credentialConfigurations } from './credential-configurations.ts'
import { describeConfiguration } from './describe-configuration.ts'
import { encryptionAlgorithm, encryptionMethods } from './encrypt-response.ts'

/** How long a wallet may go by signed metadata, in seconds. */
const signedLifeSeconds = 24 * 3600

/** Paths of the endpoints under the Credential Issuer Identifier. */
export const endpoints = {
  credential: '/openid4vci/credential',
  nonce: '/openid4vci/nonce',
  deferred: '/openid4vci/deferred-credential',
  notification: '/openid4vci/notification',
  offers: '/openid4vci/offers',
} as const

/** OpenID4VCI 1.0 section 12.2.4. */
export async function issuerMetadata(context: Context) {
  const { publicUrl, store, openid4vci } = context
  const rootDid = await store.rootDid()
  const root = rootDid === undefined ? undefined : await store.party(rootDid)
  return {
    credential_issuer: publicUrl,
    authorization_servers: [`${publicUrl}/oauth`],
    credential_endpoint: publicUrl + endpoints.credential,
    nonce_endpoint: publicUrl + endpoints.nonce,
    deferred_credential_endpoint: publicUrl + endpoints.deferred,
    notification_endpoint: publicUrl + endpoints.notification,
    batch_credential_issuance: { batch_size: maxBatchSize },
    credential_request_encryption: {
      jwks: { keys: [openid4vci.requestDecryption.publicJwk] },
      enc_values_supported: [...encryptionMethods],
      encryption_required: false,
    },
    credential_response_encryption: {
      alg_values_supported: [encryptionAlgorithm],
      enc_values_supported: [...encryptionMethods],
      encryption_required: false,
    },
    // IETF Token Status List, section 9.1.
    status_list_aggregation_uri: statusListAggregationUri(publicUrl),
    ...(root === undefined ? {} : { display: [{ name: root.name }] }),
    credential_configurations_supported: Object.fromEntries(
      credentialConfigurations.map((configuration) => [
        configuration.id,
        describeConfiguration(configuration, context),
      ]),
    ),
  }
}

/** Section 12.2.3: the same as a JWT, signed by the authority of the city. Throws Problem not-ready. */
export async function signedIssuerMetadata(context: Context): Promise<string> {
  const issuer = await context.issuers(context.authorityDid)
  if (!issuer) throw new Problem('not-ready', { detail: 'The metadata cannot be signed' })
  const iat = Math.floor(context.now().getTime() / 1000)
  return signJws(
    { typ: 'openidvci-issuer-metadata+jwt', kid: issuer.keyId },
    {
      ...(await issuerMetadata(context)),
      iss: context.authorityDid,
      sub: context.publicUrl,
      iat,
      exp: iat + signedLifeSeconds,
    },
    issuer.signer,
  )
}
