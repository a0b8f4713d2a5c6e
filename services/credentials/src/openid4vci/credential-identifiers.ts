import type { Holder } from '../holder-facts.ts'
import type { Context } from '../ports.ts'
import { credentialIdentifier } from './authorize-request.ts'
import { findConfiguration } from './credential-configurations.ts'
import { factsUnder } from './find-fact.ts'

/**
 * The Credential Datasets (OpenID4VCI 1.0 section 6.2) that a holder could receive under a configuration now, and under an offer
 * when the token comes from one. Empty when there is nothing yet.
 */
export async function credentialIdentifiers(
  context: Context,
  holder: Holder,
  { configurationId, offerId }: { configurationId: string; offerId: string | undefined },
): Promise<string[]> {
  const configuration = findConfiguration(configurationId)
  if (!configuration) return []
  return context.store.write(async (writer) => {
    const offer = offerId === undefined ? null : ((await writer.offer(offerId)) ?? null)
    const facts = await factsUnder(writer, context, { holder, configuration, offer })
    return facts.map(({ resource }) => credentialIdentifier(configurationId, resource))
  })
}
