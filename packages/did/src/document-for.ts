import type { PublicKey } from '@tillit/keys'
import type { DIDDocument, Service } from 'did-resolver'
import { standardDocument } from './did-document.ts'

/** What a version is to say: a whole document, or keys (each of them for everything but key agreement) and services. */
export interface DidContent {
  readonly document?: (did: string) => DIDDocument
  readonly keys?: readonly PublicKey[]
  readonly services?: (did: string) => Service[]
}

/** The document for the content; what it does not speak of is kept from the current one. */
export function documentFor(
  did: string,
  content: DidContent,
  current: DIDDocument | { keys: readonly PublicKey[] },
): DIDDocument {
  if (content.document !== undefined) return content.document(did)
  const before = 'id' in current ? current : standardDocument(did, current)
  const services = content.services?.(did) ?? before.service
  const kept = services === undefined ? before : { ...before, service: services }
  if (content.keys === undefined) return kept
  return { ...kept, ...standardDocument(did, { keys: content.keys }) }
}
