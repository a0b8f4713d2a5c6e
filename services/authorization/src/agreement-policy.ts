import { interactionPolicy, type KoaContextWithOIDC } from 'oidc-provider'

/** The portal is the city's own page: there is nothing to agree to. A wallet is agreed to each time. */
export function agreementForWallets(isWallet: (clientId: string) => boolean) {
  const policy = interactionPolicy.base()
  policy.remove('consent')
  const { Check, Prompt } = interactionPolicy
  const isOpen = ({ oidc }: KoaContextWithOIDC) =>
    oidc.client !== undefined && isWallet(oidc.client.clientId) && oidc.result?.consent === undefined
  policy.add(new Prompt({ name: 'consent' }, new Check('wallet', 'the person has not agreed yet', isOpen)))
  return policy
}

/** What the person has agreed to on the page, a moment ago. */
export async function grantOfAgreement(ctx: KoaContextWithOIDC) {
  const { result, provider, entities } = ctx.oidc
  const grantId = result?.consent?.grantId
  if (grantId === undefined) return undefined
  // The provider binds a code to the attested instance of a wallet that pushed the request, but forgets the request while the
  // person is on our pages.
  const pushedId = entities.Interaction && 'parJti' in entities.Interaction ? entities.Interaction.parJti : undefined
  if (typeof pushedId === 'string')
    ctx.oidc.entity(
      'PushedAuthorizationRequest',
      await provider.PushedAuthorizationRequest.find(pushedId, { ignoreExpiration: true }),
    )
  return provider.Grant.find(grantId)
}
