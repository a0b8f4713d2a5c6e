import { connectCity, resolveThrough, signKeyCompromise, verifyCredential } from '@tillit/client'
import { issueSdJwtVc } from '@tillit/credential'
import { thumbprint, toPublicJwk } from '@tillit/keys'
import type { CompromisedKeyRecord, Party } from '@tillit/schemas'
import { organisations } from '../../services/standalone/src/demonstration/cast.ts'
import { accredit } from '../../services/standalone/src/demonstration/seed.ts'
import { registerIdentity } from '../../services/standalone/src/register-identity.ts'
import { askWallet } from './ask-wallet.ts'
import { expectRefusal, expectThat, type Scene } from './scene.ts'
import type { Stage } from './stage.ts'

/** J1: the registrar accredits a utility and an eligible party; anyone can check the chain to the root. */
export async function accreditation(scene: Scene, stage: Stage): Promise<void> {
  const { city, anyone, adviser, analyst } = stage
  const candidates = [
    [city.utility, organisations.utility],
    [adviser, organisations.adviser],
    [analyst, organisations.analyst],
  ] as const
  for (const [identity, claims] of candidates) {
    await scene.step('J1', `${claims.legal_name} makes its DID offline, and the registry accepts it`, async () => {
      await registerIdentity(city.url, identity, { listed: true })
      const { didDocument, didDocumentMetadata } = await resolveThrough(anyone, identity.did)
      expectThat(didDocument?.id === identity.did, 'the DID resolves to its own document')
      return { did: identity.did, version: String(didDocumentMetadata.versionId) }
    })
    await scene.step('J1', `The registrar accredits ${claims.legal_name}`, async () => {
      await accredit(stage.registrar, identity, claims)
      const { credential } = await anyone.get<Party>(`/trust/organisations/${encodeURIComponent(identity.did)}`)
      expectThat(credential !== null, 'the accredited organisation holds a credential')
      const verified = await verifyCredential(anyone, credential, stage.trust())
      expectThat(verified.issuer === city.registrar.did, 'the chain ends at the registrar')
      return {
        credential: verified.type,
        issuer: verified.issuer,
        roles: claims.roles.join(', '),
        chain: 'verified to the root',
      }
    })
  }
  for (const { name, open } of stage.wallets) {
    await scene.step(
      'J1',
      `The adviser receives its accreditation in ${name} and shows it to the utility`,
      async () => {
        const wallet = await open(city.url, adviser)
        const [credential, ...more] = await wallet.receiveOwn('OrganisationCredential')
        expectThat(credential !== undefined && more.length === 0, 'the wallet holds one accreditation')
        const verified = await verifyCredential(anyone, credential, stage.trust())
        expectThat(verified.subject === adviser.did, 'it is about the adviser')
        const claims = await askWallet(stage.utility, wallet, { name: 'is-accredited-organisation' })
        expectThat(claims.legal_name === organisations.adviser.legal_name, 'the utility learns who the adviser is')
        return { credential: verified.type, shown: Object.keys(claims).join(', ') }
      },
    )
  }
  await scene.step('J1', 'An organisation that accredits itself convinces nobody', async () => {
    const issuedAt = new Date()
    const forged = await issueSdJwtVc({
      type: 'OrganisationCredential',
      issuerDid: adviser.did,
      keyId: adviser.keyId,
      signer: adviser.signer,
      subjectDid: adviser.did,
      holderJwk: toPublicJwk(adviser.signer.publicKey),
      claims: { ...organisations.adviser, roles: ['utility'] },
      status: { uri: `${city.url}/credentials/status-lists/1`, idx: 0 },
      issuedAt,
      expires: new Date(issuedAt.getTime() + 86_400_000),
      randomBytes: (length) => crypto.getRandomValues(new Uint8Array(length)),
    })
    const refusal = await expectRefusal('untrusted-issuer', async () => {
      await verifyCredential(connectCity({ url: city.url }), forged, stage.trust())
    })
    return { refused: refusal }
  })
  await scene.step(
    'J1',
    'The adviser reports a stolen key, and nothing that it signs is believed any more',
    async () => {
      const stolen = thumbprint((await stage.newWallet()).publicKey)
      const by = { did: adviser.did, keyId: adviser.keyId, signer: adviser.signer, now: new Date() }
      const statement = await signKeyCompromise({ did: adviser.did, jkt: stolen }, by)
      const { did, jkt } = await stage.as(adviser).post<CompromisedKeyRecord>('/trust/compromised-keys', { statement })
      expectThat(did === adviser.did && jkt === stolen, 'the report is about that key')
      return { organisation: did, key: jkt }
    },
  )
}
