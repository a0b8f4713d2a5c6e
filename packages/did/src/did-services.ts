import type { DIDDocument, Service } from 'did-resolver'
import { absoluteId } from './did-document.ts'
import { webvhFolder } from './did-location.ts'
import { parseDid } from './parse-did.ts'

/**
 * The services of the document, and for a did:webvh those that it implies where it does not define its own: `#files`, the
 * folder of the DID, and `#whois`, the presentation about its controller (did:webvh v1.0, "DID URL Resolution").
 */
export function servicesOf(document: DIDDocument): Service[] {
  const own = document.service ?? []
  const has = (name: string) => own.some(({ id }) => absoluteId(document.id, id) === `${document.id}#${name}`)
  return [...own, ...impliedServices(document.id).filter(({ id }) => !has(id.slice(1)))]
}

function impliedServices(did: string): Service[] {
  if (parseDid(did).method !== 'webvh') return []
  const folder = webvhFolder(did)
  return [
    { id: '#files', type: 'relativeRef', serviceEndpoint: folder.href },
    {
      id: '#whois',
      type: 'LinkedVerifiablePresentation',
      serviceEndpoint: new URL('whois.vp', folder).href,
      '@context': 'https://identity.foundation/linked-vp/contexts/v1',
    } as Service,
  ]
}
