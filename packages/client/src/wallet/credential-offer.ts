import { parseJson } from '@tillit/codec'
import { isProblem, Problem } from '@tillit/problem'
import { ask, checkedUrl, jsonOf } from './ask.ts'
import { type Members, readMembers } from './read-members.ts'
import type { WalletContext } from './wallet-context.ts'

/** `haip-vci` is HAIP 1.0's scheme; a link for people may also be an https page of a wallet with the same query. */
const schemes = ['openid-credential-offer:', 'haip-vci:', 'https:']
const preAuthorizedGrant = 'urn:ietf:params:oauth:grant-type:pre-authorized_code'

/** How a transaction code looks, so that the person is asked for the right thing. */
export interface TxCodeHint {
  readonly inputMode: 'numeric' | 'text'
  readonly length: number | null
  readonly description: string | null
}

export interface CredentialOffer {
  readonly credentialIssuer: string
  readonly configurationIds: readonly string[]
  readonly preAuthorized: { readonly code: string; readonly txCode: TxCodeHint | null } | null
  readonly authorizationCode: { readonly issuerState: string | null } | null
  /** The authorization server to use where the issuer has several. */
  readonly authorizationServer: string | null
}

/**
 * The offer behind a link or QR code (OpenID4VCI 1.0 section 4.1), by value or fetched. Throws Problem
 * invalid-credential-offer or invalid-request, CityError when the issuer does not hand it out.
 */
export async function readCredentialOffer(
  link: string,
  { fetch }: Pick<WalletContext, 'fetch'>,
): Promise<CredentialOffer> {
  const query = queryOf(link)
  const value = query.get('credential_offer')
  const reference = query.get('credential_offer_uri')
  if ((value === null) === (reference === null)) throw malformed('The link holds an offer or the place of one')
  if (value !== null) return parseCredentialOffer(value)
  const answer = await ask(fetch, reference ?? '', { headers: { accept: 'application/json' } })
  jsonOf(answer)
  return parseCredentialOffer(answer.text)
}

/** Throws Problem invalid-credential-offer. */
export function parseCredentialOffer(text: string): CredentialOffer {
  const offer = readMembers(parseOrRefuse(text), malformed)
  const configurationIds = offer.optionalTexts('credential_configuration_ids')
  if (configurationIds === null || new Set(configurationIds).size !== configurationIds.length) {
    throw malformed('The offer does not say which credentials')
  }
  const grants = offer.optionalObject('grants')
  const grant = (name: string): Members | null => {
    const member = grants?.[name]
    return member === undefined ? null : readMembers(member, malformed)
  }
  const preAuthorized = grant(preAuthorizedGrant)
  const authorizationCode = grant('authorization_code')
  return {
    credentialIssuer: identifier(offer.text('credential_issuer')),
    configurationIds,
    preAuthorized:
      preAuthorized === null
        ? null
        : { code: preAuthorized.text('pre-authorized_code'), txCode: txCodeHint(preAuthorized) },
    // Section 4.1.1: without grants the wallet finds out by itself, and what every server has is the authorization code.
    authorizationCode:
      grants === null
        ? { issuerState: null }
        : authorizationCode && { issuerState: authorizationCode.optionalText('issuer_state') },
    authorizationServer: (preAuthorized ?? authorizationCode)?.optionalText('authorization_server') ?? null,
  }
}

function txCodeHint(grant: Members): TxCodeHint | null {
  const member = grant.optionalObject('tx_code')
  if (member === null) return null
  const hint = readMembers(member, malformed)
  return {
    inputMode: hint.optionalText('input_mode') === 'text' ? 'text' : 'numeric',
    length: hint.optionalNumber('length'),
    description: hint.optionalText('description'),
  }
}

/** A Credential Issuer Identifier (section 12.2.1): a URL without query and fragment. */
function identifier(text: string): string {
  const { search, hash } = new URL(checkedUrl(text))
  if (search !== '' || hash !== '') throw malformed('The issuer is not named by a plain URL')
  return text
}

function queryOf(link: string): URLSearchParams {
  if (!URL.canParse(link)) throw malformed('The offer is not a link')
  const { protocol, searchParams } = new URL(link)
  const onThisMachine = protocol === 'http:'
  if (!schemes.includes(protocol) && !onThisMachine) throw malformed('The link is not one for credential offers')
  if (onThisMachine) checkedUrl(link)
  for (const name of searchParams.keys()) {
    if (searchParams.getAll(name).length > 1) throw malformed('A parameter of the link stands twice')
  }
  return searchParams
}

function parseOrRefuse(text: string) {
  try {
    return parseJson(text)
  } catch (cause) {
    if (isProblem(cause)) throw new Problem('invalid-credential-offer', { detail: 'The offer is not JSON', cause })
    throw cause
  }
}

function malformed(detail: string): Problem {
  return new Problem('invalid-credential-offer', { detail })
}
