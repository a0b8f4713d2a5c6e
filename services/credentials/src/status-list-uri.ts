import { type StatusPurpose, statusPurposes } from '@tillit/credential'

/** Where the Status List Token of a list is. */
export function statusListUri(publicUrl: string, listId: number): string {
  return `${statusListAggregationUri(publicUrl)}/${listId}`
}

/** Where the BitstringStatusListCredential of a list is, one for each purpose. */
export function bitstringListUri(publicUrl: string, listId: number, purpose: StatusPurpose): string {
  return `${statusListUri(publicUrl, listId)}/${purpose}`
}

/** Where the addresses of all Status List Tokens are (IETF Token Status List, section 9). */
export function statusListAggregationUri(publicUrl: string): string {
  return `${publicUrl}/credentials/status-lists`
}

/** The list behind the address of one of our status lists, or null for any other address. */
export function listOfUri(publicUrl: string, uri: string): number | null {
  const base = `${statusListAggregationUri(publicUrl)}/`
  if (!uri.startsWith(base)) return null
  const [id = '', purpose, ...rest] = uri.slice(base.length).split('/')
  if (rest.length > 0 || (purpose !== undefined && !statusPurposes.some((known) => known === purpose))) return null
  return /^[1-9][0-9]{0,8}$/.test(id) ? Number(id) : null
}
