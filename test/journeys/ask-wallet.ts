import type { City } from '@tillit/client'
import type { Presentation, PresentationRequest } from '@tillit/schemas'
import { expectThat } from './scene.ts'
import type { JourneyWallet } from './wallets.ts'

/** An organisation asks, a wallet answers, the organisation sees what was proved: the claims that it asked for. */
export async function askWallet(
  asker: City,
  wallet: JourneyWallet,
  preset: NonNullable<PresentationRequest['preset']>,
): Promise<Record<string, unknown>> {
  const asked = await asker.post<Presentation>('/presentations', { purpose: 'To see who is asking', preset })
  expectThat(asked.state === 'requested' && asked.request !== undefined, 'the request waits for a wallet')
  await wallet.present(asked.request.links.openid4vp)
  const answered = await asker.get<Presentation>(`/presentations/${asked.id}`)
  const [proved] = answered.credentials ?? []
  expectThat(
    answered.state === 'proved' && proved !== undefined,
    `the wallet’s answer is proved, not ${answered.state}`,
  )
  return proved.claims
}
