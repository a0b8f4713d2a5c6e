import { type City, createCredentialProof, createKeyBinding, verifyCredential } from '@tillit/client'
import { didKeyFor } from '@tillit/did'
import type { Signer } from '@tillit/keys'
import type { Home } from './j2-device.ts'
import { expectThat, type Scene } from './scene.ts'
import { signIn } from './sign-in.ts'
import type { Stage } from './stage.ts'

export interface Citizen {
  name: string
  /** The city, in the citizen's name. */
  city: City
  customer: string
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
  await scene.step('J3', 'The wallet receives the entitlement', async () => {
    const { c_nonce: nonce } = await city.post<{ c_nonce: string }>('/credentials/nonce')
    const jwt = await createCredentialProof({ signer: wallet, now: new Date(), audience: stage.city.url, nonce })
    const { credentials } = await city.post<{ credentials: { credential: string }[] }>('/credentials', {
      credential_configuration_id: 'MeteringPointEntitlement',
      proofs: { jwt: [jwt] },
    })
    const [received] = credentials
    expectThat(received !== undefined && credentials.length === 1, 'one entitlement for one metering point')
    const verified = await verifyCredential(stage.anyone, received.credential, stage.trust())
    expectThat(
      verified.claims.metering_point === home.meteringPoint,
      'the entitlement is to the citizen’s metering point',
    )
    return { credential: verified.type, issuer: verified.issuer, metering_point: home.meteringPoint }
  })
  return citizen
}
