import { parseJson } from '@tillit/codec'
import { isProblem, Problem } from '@tillit/problem'
import { contentEncryptions } from './encryption-key.ts'

/** What a wallet says when it fetches a request by POST (OpenID4VP 1.0 section 5.10). */
export interface WalletRequest {
  /** Has to come back in the request object, so that an old one cannot be played to the wallet. */
  walletNonce: string | null
  /** In which the wallet can encrypt its response; those of ours that it has. */
  contentEncryptions: readonly string[]
  /** Null: any. */
  signingAlgorithms: readonly string[] | null
}

/** What a GET says. */
export const silentWallet: WalletRequest = { walletNonce: null, contentEncryptions, signingAlgorithms: null }

/** Throws Problem invalid-request. Metadata that is not known is ignored, as the specification says. */
export function parseWalletRequest(form: { wallet_nonce?: string; wallet_metadata?: string }): WalletRequest {
  const metadata = form.wallet_metadata === undefined ? {} : parseMetadata(form.wallet_metadata)
  const encryptions = texts(metadata.authorization_encryption_enc_values_supported)
  const common =
    encryptions === null ? contentEncryptions : contentEncryptions.filter((enc) => encryptions.includes(enc))
  if (common.length === 0) {
    throw new Problem('invalid-request', { detail: 'The wallet cannot encrypt in a way that is known here' })
  }
  return {
    walletNonce: form.wallet_nonce ?? null,
    contentEncryptions: common,
    signingAlgorithms: texts(metadata.request_object_signing_alg_values_supported),
  }
}

function parseMetadata(text: string): { readonly [name: string]: unknown } {
  try {
    const metadata = parseJson(text)
    if (metadata !== null && typeof metadata === 'object' && !Array.isArray(metadata)) return metadata
  } catch (cause) {
    if (!isProblem(cause, 'invalid-json')) throw cause
    throw new Problem('invalid-request', { detail: 'The wallet_metadata is not JSON', cause })
  }
  throw new Problem('invalid-request', { detail: 'The wallet_metadata is not an object' })
}

/** Null when nothing is said. */
function texts(value: unknown): string[] | null {
  if (value === undefined) return null
  if (Array.isArray(value)) return value.filter((item) => typeof item === 'string')
  throw new Problem('invalid-request', { detail: 'A list in the wallet_metadata is not one' })
}
