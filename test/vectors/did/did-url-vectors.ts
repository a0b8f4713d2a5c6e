// Adds DID URLs.
import { accept, invalid, valid } from './collected.ts'
import { a, b, documentOf, genesis, idOf, method } from './make-entry.ts'

const place = idOf(genesis)
const described = documentOf(place, {
  verificationMethod: [method(place, { publicKeyMultibase: a })],
  service: [
    { id: `${place}#api`, type: 'Api', serviceEndpoint: 'https://api.example/v1/' },
    { id: '#vault', type: 'Vault', serviceEndpoint: 'ipfs://bafy' },
  ],
})
const leads = (sentence: string, suffix: string, content: unknown, accept: string | null = null, document = described) => {
  valid[sentence] = { kind: 'dereferencing', didUrl: String(document.id) + suffix, accept, document, content }
}
const leadsNot = (sentence: string, suffix: string, error: string, accept: string | null = null, document = described) => {
  invalid[sentence] = { kind: 'dereferencing', didUrl: String(document.id) + suffix, accept, document, error }
}
const uriList = 'text/uri-list'
leads('a fragment names a verification method', '#key', { '@context': ['https://www.w3.org/ns/did/v1'], ...method(place, { publicKeyMultibase: a }) })
leads('a fragment names a service', '#api', { '@context': ['https://www.w3.org/ns/did/v1'], id: `${place}#api`, type: 'Api', serviceEndpoint: 'https://api.example/v1/' })
leads('a service is at its endpoint', '?service=api', ['https://api.example/v1/'], uriList)
leads('a relative reference is resolved at the service', '?service=api&relativeRef=doc%3Fa%3Db', ['https://api.example/v1/doc?a=b'], uriList)
leads('a fragment goes on to the service', '?service=api&relativeRef=doc#part', ['https://api.example/v1/doc#part'], uriList)
leads('a path leads into the folder of the DID', '/a/b.json', ['https://city.example/parties/grid/a/b.json'])
leads('whois leads to the presentation', '/whois', ['https://city.example/parties/grid/whois.vp'])
leads('the implied files service appends', '?service=files&relativeRef=%2Fa', ['https://city.example/parties/grid/a'], uriList)
leads('a DID without folders has its files at the root', '/whois', ['https://city.example/whois.vp'], null, documentOf(place.replace(':parties:grid', '')))
leadsNot('a fragment that names nothing', '#none', 'notFound')
leadsNot('a service that there is not', '?service=none', 'notFound', uriList)
leadsNot('a parameter that is not known', '?hl=zQm', 'notFound')
leadsNot('a path that leads up', '/../a', 'invalidDidUrl')
leadsNot('a path that leads up when it is decoded', '/%2e%2e/a', 'invalidDidUrl')
leadsNot('a relative reference to another host', '?service=api&relativeRef=%2F%2Fmallory.example%2F', 'invalidDidUrl', uriList)
leadsNot('a relative reference that is a whole URL', '?service=api&relativeRef=https%3A%2F%2Fmallory.example%2F', 'invalidDidUrl', uriList)
leadsNot('a relative reference that leads up', '?service=api&relativeRef=..%2Fa', 'invalidDidUrl', uriList)
leadsNot('a parameter that stands twice', '?service=api&service=vault', 'invalidDidUrl', uriList)
leadsNot('a query that is not encoded correctly', '?service=%ff', 'invalidDidUrl', uriList)
leadsNot('a service in a form that there is not', '?service=api', 'representationNotSupported', 'text/html')
leadsNot('files at a place that is no web address', '/a', 'invalidDid', null, documentOf(place, { service: [{ id: '#files', type: 'relativeRef', serviceEndpoint: 'ipfs://bafy' }] }))
