import type { DidResolution, ResolveOptions } from '@tillit/did'
import { Problem, type ProblemCode, problemCodes } from '@tillit/problem'

const documentTypes = ['application/did', 'application/did+json', 'application/did+ld+json']
const resultTypes = ['application/did-resolution', 'application/ld+json', 'application/json', 'application/*', '*/*']

/** W3C DID Resolution, HTTP(S) binding: the status for each error of the result. */
const statusOfError: Record<string, number> = {
  invalidDid: 400,
  invalidOptions: 400,
  notFound: 404,
  representationNotSupported: 406,
  methodNotSupported: 501,
  internalError: 500,
}

export interface IdentifierResponse {
  readonly status: number
  readonly contentType: string
  readonly body: object
}

/**
 * Resolves for the HTTP binding: the whole result by default, only the document when Accept asks for a DID media type.
 * A deactivated DID gives 410. Throws Problems only when the document alone was asked for.
 */
export async function resolveIdentifier(
  did: string,
  options: ResolveOptions & { acceptHeader?: string },
  resolve: (did: string, options: ResolveOptions) => Promise<DidResolution>,
): Promise<IdentifierResponse> {
  const { acceptHeader, ...version } = options
  const wanted = negotiate(acceptHeader)
  const result = await resolve(did, version)
  const { error } = result.didResolutionMetadata
  const gone = error === undefined && result.didDocument === null
  if (wanted === 'result') {
    const status = error === undefined ? (gone ? 410 : 200) : (statusOfError[error] ?? 500)
    return { status, contentType: 'application/did-resolution', body: result }
  }
  if (gone) throw new Problem('did-deactivated')
  if (error !== undefined || result.didDocument === null) throw problemOf(result)
  return { status: 200, contentType: wanted, body: result.didDocument }
}

/** The first of the accepted types that we have; quality values are not weighed. Throws Problem did-representation-not-supported. */
function negotiate(acceptHeader = '*/*'): string {
  for (const range of acceptHeader.split(',')) {
    const [type = ''] = range.split(';')
    const name = type.trim().toLowerCase()
    if (documentTypes.includes(name)) return name
    if (resultTypes.includes(name)) return 'result'
  }
  throw new Problem('did-representation-not-supported', {
    detail: `Known are application/did-resolution, ${documentTypes.join(', ')}`,
  })
}

/** Takes the problem out of a result that failed. */
function problemOf({ didResolutionMetadata }: DidResolution): Problem {
  const details = didResolutionMetadata.problemDetails
  if (typeof details === 'object' && details !== null && 'code' in details && 'detail' in details) {
    const code = String(details.code)
    if (code in problemCodes) return new Problem(code as ProblemCode, { detail: String(details.detail) })
  }
  return new Problem('did-resolution-failed')
}
