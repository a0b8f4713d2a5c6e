import { sha256, utf8 } from '@tillit/codec'
import type { CredentialType } from '@tillit/schemas'
import type { InteractionResults, Provider } from 'oidc-provider'
import { agreementPage, languageOf } from './agreement-page.ts'
import { askedCredentials, credentialDetail } from './credential-details.ts'
import type { Interaction, InteractionPage } from './interaction-page.ts'
import type { OffersOfGrants } from './offer-of-grant.ts'
import type { Offer, OfferStore } from './offer-store.ts'
import type { Wallet } from './wallets.ts'

export const agreementPath = '/oauth/agree'

export interface AgreementPorts {
  provider: Provider
  publicUrl: string
  wallets: readonly Wallet[]
  /** The type of each credential configuration. */
  configurations: ReadonlyMap<string, CredentialType>
  offers: OfferStore
  offerOfGrant: OffersOfGrants
}

/**
 * A signed-in person says whether a wallet may have what it asks for. Each yes makes one grant, for exactly that. Nothing is
 * remembered for the next time.
 */
export function agreementPageOf(ports: AgreementPorts): InteractionPage {
  return {
    path: agreementPath,
    prompt: 'consent',
    keepEarlierAnswers: true,
    async show(interaction, action, request) {
      const { byScope, byDetails } = asked(interaction, ports)
      const offer = await offerOf(interaction, ports.offers)
      const types = [...byScope, ...byDetails].flatMap((id) => ports.configurations.get(id) ?? [])
      return agreementPage({
        wallet: walletName(interaction, ports.wallets),
        types: [...new Set(types)],
        language: languageOf(text(interaction.params.ui_locales), request.headers['accept-language']),
        isForPerson: isFor(interaction, offer),
        action,
      })
    },
    answer: async (interaction, form) =>
      form.has('agree')
        ? agree(interaction, ports)
        : { error: 'access_denied', error_description: 'the person did not agree' },
  }
}

async function agree(interaction: Interaction, ports: AgreementPorts): Promise<InteractionResults> {
  const accountId = interaction.session?.accountId
  const clientId = text(interaction.params.client_id)
  if (!accountId || !clientId) throw new TypeError('agreement comes after the sign-in')
  const offer = await offerOf(interaction, ports.offers)
  if (!isFor(interaction, offer)) return { error: 'access_denied', error_description: 'the offer is for somebody else' }
  const { byScope, byDetails } = asked(interaction, ports)
  const grant = new ports.provider.Grant({ clientId, accountId })
  if (byScope.length > 0) grant.addResourceScope(ports.publicUrl, byScope)
  for (const id of byDetails) grant.addRar(credentialDetail(id))
  const grantId = await grant.save()
  if (offer) await ports.offerOfGrant.remember(grantId, offer.id)
  return { consent: { grantId } }
}

function asked({ params }: Interaction, { configurations }: AgreementPorts) {
  return askedCredentials(params, new Set(configurations.keys()))
}

/** Null: there was no offer. Undefined: it has expired or was withdrawn meanwhile. */
async function offerOf({ params }: Interaction, offers: OfferStore): Promise<Offer | null | undefined> {
  const issuerState = text(params.issuer_state)
  return issuerState === undefined ? null : offers.findOfferByIssuerState(sha256(utf8(issuerState)))
}

function isFor({ session }: Interaction, offer: Offer | null | undefined): boolean {
  return offer === null || (offer !== undefined && offer.holder === session?.accountId)
}

function walletName({ params }: Interaction, wallets: readonly Wallet[]): string {
  return wallets.find(({ client_id }) => client_id === params.client_id)?.name ?? ''
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}
