import { type City, createKeyBinding, verifyCredential } from '@tillit/client'
import { didKeyFor } from '@tillit/did'
import type { Signer } from '@tillit/keys'
import type { NewOffer } from '@tillit/schemas'
import type { Browser } from '../../services/authorization/test/browser.ts'
import { readQr } from '../../services/verifier/test/read-qr.ts'
import { askWallet } from './ask-wallet.ts'
import type { Home } from './j2-device.ts'
import { expectThat, type Scene } from './scene.ts'
import { agreeInBrowser, signIn } from './sign-in.ts'
import type { Stage } from './stage.ts'
import { redirectUri, type WalletMaker } from './wallets.ts'

export interface Citizen {
  name: string
  /** The city, in the citizen's name. */
  city: City
  customer: string
  browser: Browser
  wallet: Signer
}

/** J3: a citizen signs in and receives the entitlement to their metering point. */
export async function citizenSignsIn(scene: Scene, stage: Stage, home: Home): Promise<Citizen> {
  const { utility } = stage
  const wallet = await stage.newWallet()
  const [persona] = stage.city.personas
  expectThat(persona !== undefined, 'the city has personas')
  let citizen: Citizen | null = null
  await scene.step(
    'J3',
    `The utility says that ${persona.name} holds the metering point; ${persona.name} signs in`,
    async () => {
      await utility.post(`/metering-points/${home.meteringPoint}/entitlements`, {
        customer: persona.customerId,
        role: 'holder',
        from: new Date(home.from.getTime() - 86_400_000).toISOString(),
      })
      const session = await signIn(stage.city.url, persona.key)
      expectThat(session.customer === persona.customerId, 'the session is the persona’s')
      citizen = { name: persona.name, ...session, wallet }
      return { signed_in_with: 'development eID', customer: session.customer }
    },
  )
  expectThat(citizen !== null, 'the citizen is signed in')
  const { city, customer }: Citizen = citizen
  await scene.step('J3', 'The wallet makes a key of its own and binds it to the customer', async () => {
    const statement = await createKeyBinding(customer, {
      signer: wallet,
      now: new Date(),
      authority: stage.city.authority.did,
    })
    const { did } = await city.post<{ did: string }>('/wallet/keys', { statement })
    expectThat(did === didKeyFor(wallet.publicKey), 'the bound key is the wallet’s')
    return { wallet: did }
  })
  for (const maker of stage.wallets) await receiveInto(maker, scene, { stage, home, citizen })
  return citizen
}

/** The entitlement comes by a letter with a QR code and a code of six digits, or by signing in; a party sees no more than it asks. */
async function receiveInto(
  { name, open }: WalletMaker,
  scene: Scene,
  { stage, home, citizen: { customer, browser } }: { stage: Stage; home: Home; citizen: Citizen },
): Promise<void> {
  const { city, anyone, utility } = stage
  const offer = (request: object) =>
    utility.post<NewOffer>('/openid4vci/offers', {
      holder: customer,
      configuration_ids: ['MeteringPointEntitlement'],
      ...request,
    })
  const entitlementIn = async (credentials: string[]) => {
    const [credential, ...more] = credentials
    expectThat(credential !== undefined && more.length === 0, 'one entitlement for one metering point')
    const verified = await verifyCredential(anyone, credential, stage.trust())
    expectThat(verified.claims.metering_point === home.meteringPoint, 'it is to the citizen’s metering point')
    return { credential: verified.type, issuer: verified.issuer, metering_point: home.meteringPoint }
  }
  const wallet = await open(city.url)
  await scene.step('J3', `The entitlement comes into ${name} by a QR code and a transaction code`, async () => {
    const { qr, tx_code: txCode } = await offer({})
    expectThat(txCode !== undefined, 'the offer has a transaction code')
    const link = readQr(await anyone.text('GET', new URL(qr).pathname, { accept: 'image/svg+xml' }))
    expectThat(link !== null, 'the picture holds a link')
    return entitlementIn(await wallet.receiveOffer(link, txCode))
  })
  await scene.step('J3', `The entitlement comes into ${name} by signing in`, async () => {
    const { links } = await offer({ grant: 'authorization_code' })
    const browse = (url: string) => agreeInBrowser(browser, url, redirectUri)
    return entitlementIn(await wallet.receiveInBrowser(links.openid_credential_offer, browse))
  })
  await scene.step('J3', `From ${name} the adviser learns that its holder may act for the metering point`, async () => {
    const preset = { name: 'may-act-for-metering-point' as const, metering_point: home.meteringPoint }
    const claims = await askWallet(stage.as(stage.adviser), wallet, preset)
    expectThat(Object.keys(claims).join() === 'metering_point', 'the adviser learns nothing else')
    return { proved: 'may act for this metering point' }
  })
}
