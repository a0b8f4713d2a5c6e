import type { Presentation } from '@tillit/schemas'
import { renderSVG } from 'uqr'
import type { PresentationRow } from './tables.ts'

export function requestUri(publicUrl: string, requestId: string): string {
  return `${publicUrl}/openid4vp/requests/${requestId}`
}

export function responseUri(publicUrl: string, requestId: string): string {
  return `${publicUrl}/openid4vp/responses/${requestId}`
}

type Requested = Pick<PresentationRow, 'request_id' | 'client_id' | 'wallet_endpoint'>

/** The ways into a wallet (OpenID4VP 1.0 sections 5.1 and 9; HAIP 1.0 section 5.1). */
export function requestLinks(publicUrl: string, requested: Requested): NonNullable<Presentation['request']> {
  const uri = requestUri(publicUrl, requested.request_id)
  const parameters = new URLSearchParams({
    client_id: requested.client_id,
    request_uri: uri,
    request_uri_method: 'post',
  }).toString()
  return {
    request_uri: uri,
    links: {
      openid4vp: `openid4vp://?${parameters}`,
      ...(requested.client_id.startsWith('x509_hash:') ? { haip_vp: `haip-vp://?${parameters}` } : {}),
      ...(requested.wallet_endpoint === null ? {} : { https: withQuery(requested.wallet_endpoint, parameters) }),
    },
    qr: `${uri}/qr.svg`,
  }
}

/** A picture of the openid4vp link, to be scanned by a wallet on another device. */
export function requestQr(publicUrl: string, requested: Requested): string {
  return renderSVG(requestLinks(publicUrl, requested).links.openid4vp, { ecc: 'L', border: 4 })
}

/** Adds parameters to a URL that may have some already. */
export function withQuery(url: string, parameters: string): string {
  const extended = new URL(url)
  extended.search = extended.search === '' ? parameters : `${extended.search}&${parameters}`
  return extended.href
}
