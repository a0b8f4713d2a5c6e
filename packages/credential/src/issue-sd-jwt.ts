import { base64urlOfText, type Json, toBase64url, utf8 } from '@tillit/codec'
import type { Signer } from '@tillit/keys'
import { type Concealment, concealClaims } from './conceal-claims.ts'

export interface SdJwtIssuance extends Concealment {
  header: { typ: string; [name: string]: Json }
  claims: { readonly [name: string]: Json }
  signer: Signer
}

/** Issues an SD-JWT (RFC 9901, compact serialisation) with all its disclosures. Throws Problem invalid-credential. */
export async function issueSdJwt({ header, claims, signer, ...concealment }: SdJwtIssuance): Promise<string> {
  const { payload, disclosures } = concealClaims(claims, concealment)
  if (disclosures.length > 0 || concealment.decoys > 0) payload._sd_alg = 'sha-256'
  const input = `${encode({ alg: signer.alg, ...header })}.${encode(payload)}`
  const signature = toBase64url(await signer.sign(utf8(input)))
  return `${[`${input}.${signature}`, ...disclosures].join('~')}~`
}

function encode(value: object): string {
  return base64urlOfText(JSON.stringify(value))
}
