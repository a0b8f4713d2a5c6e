import { credentialsContext } from '@tillit/schemas'
import { type JsonObject, malformed } from './vcdm-members.ts'

const credentialPrefix = 'data:application/vc+jwt,'
const presentationPrefix = 'data:application/vp+jwt,'

/** A `vc+jwt` as a JSON-LD object (VC Data Model 2.0 section 4.12.1). */
export function envelopCredential(jwt: string): JsonObject {
  return { '@context': [credentialsContext], id: credentialPrefix + jwt, type: 'EnvelopedVerifiableCredential' }
}

/** The JWT in such an object, or null when it is none. Throws Problem invalid-credential when it holds another format. */
export function envelopedCredential(input: JsonObject): string | null {
  return contentOf(input, 'EnvelopedVerifiableCredential', credentialPrefix)
}

/** The same of a presentation (section 4.13.2). */
export function envelopedPresentation(input: JsonObject): string | null {
  return contentOf(input, 'EnvelopedVerifiablePresentation', presentationPrefix)
}

function contentOf({ '@context': context, type, id }: JsonObject, wanted: string, prefix: string): string | null {
  if (![type].flat().includes(wanted)) return null
  if ([context].flat()[0] !== credentialsContext)
    throw malformed(`@context does not begin with ${credentialsContext}`, '/@context')
  if (typeof id !== 'string' || !id.startsWith(prefix))
    throw malformed(`The id is not a data: URL of the media type ${prefix.slice(5, -1)}`, '/id')
  return id.slice(prefix.length)
}
