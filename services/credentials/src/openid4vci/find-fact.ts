import { type Fact, factsAbout, type Holder } from '../holder-facts.ts'
import type { Context } from '../ports.ts'
import type { Writer } from '../store.ts'
import type { AuthorizedRequest } from './authorize-request.ts'
import type { CredentialConfiguration } from './credential-configurations.ts'
import type { StoredOffer } from './issuance-store.ts'

interface Question {
  holder: Holder
  configuration: CredentialConfiguration
  /** Under which it is asked; it may carry only what its maker may say. */
  offer: StoredOffer | null
}

/**
 * The fact that is asked for; when none was named, the first of which the holder has no credential yet. Null when there is none.
 */
export async function findFact(
  writer: Writer,
  context: Context,
  { resource, ...question }: Question & AuthorizedRequest,
): Promise<Fact | null> {
  const facts = await factsUnder(writer, context, question)
  if (resource !== null) return facts.find((fact) => fact.resource === resource) ?? null
  const held = await writer.resourcesHeld(question.holder.id, question.configuration.type)
  return facts.find((fact) => !held.has(fact.resource)) ?? facts[0] ?? null
}

/** What an organisation offered is what it says itself, of the one thing that it named if it did. */
export async function factsUnder(
  writer: Writer,
  context: Context,
  { holder, configuration, offer }: Question,
): Promise<Fact[]> {
  if (offer?.claims) {
    const said = { resource: offer.id, claims: offer.claims, issuerDid: offer.offered_by }
    return (await stillTheirs(writer, said)) ? [said] : []
  }
  const facts = await factsAbout(writer, context, { holder, type: configuration.type })
  if (offer === null) return facts
  return facts.filter(
    (fact) =>
      (offer.offered_by === holder.id || fact.issuerDid === offer.offered_by) &&
      (offer.resource === null || fact.resource === offer.resource),
  )
}

/** A metering point may have gone to another utility since, which would sign what it never said. */
async function stillTheirs(writer: Writer, { claims, issuerDid }: Fact): Promise<boolean> {
  const point = claims.metering_point
  return typeof point !== 'string' || (await writer.utilityOf(point)) === issuerDid
}
