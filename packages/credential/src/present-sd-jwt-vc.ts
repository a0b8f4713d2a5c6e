import { sha256, toBase64url, utf8 } from '@tillit/codec'
import { type Signer, signJws } from '@tillit/keys'
import { Problem } from '@tillit/problem'
import { disclosureName, parseSdJwt } from './parse-sd-jwt.ts'

export interface Presentation {
  /** Names of the disclosable claims to show; all others are left out. */
  disclose: readonly string[]
  /** Proves to one verifier that the holder is there (RFC 9901 section 4.3). */
  keyBinding?: {
    audience: string
    nonce: string
    signer: Signer
    issuedAt: Date
    /** Further claims that the holder signs, such as the hashes of transaction data. */
    claims?: { readonly [name: string]: unknown }
  }
}

/**
 * What a holder shows: the credential with the chosen disclosures, and a key binding when asked for. Throws Problem
 * invalid-credential when a claim to disclose is not in it.
 */
export async function presentSdJwtVc(credential: string, { disclose, keyBinding }: Presentation): Promise<string> {
  const { disclosed, presented } = parseSdJwt(credential)
  const missing = disclose.find((name) => !disclosed.has(name))
  if (missing !== undefined) {
    throw new Problem('invalid-credential', {
      detail: 'The credential has no such disclosable claim',
      pointer: `/${missing}`,
    })
  }
  const [jwt = '', ...disclosures] = presented.slice(0, -1).split('~')
  const kept = disclosures.filter((disclosure) => {
    const name = disclosureName(disclosure)
    return name !== null && disclose.includes(name)
  })
  const shown = `${[jwt, ...kept].join('~')}~`
  if (!keyBinding) return shown
  const payload = {
    ...keyBinding.claims,
    iat: Math.floor(keyBinding.issuedAt.getTime() / 1000),
    aud: keyBinding.audience,
    nonce: keyBinding.nonce,
    sd_hash: toBase64url(sha256(utf8(shown))),
  }
  return shown + (await signJws({ typ: 'kb+jwt' }, payload, keyBinding.signer))
}
