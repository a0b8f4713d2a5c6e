import { createPublicKey, type KeyObject, verify } from 'node:crypto'
import { fromBase64url, utf8 } from '@tillit/codec'
import { didKeyFor } from '@tillit/did'
import { type PublicKey, type Signer, signerFromSeed, signJws, thumbprint, toPublicJwk } from '@tillit/keys'
import { childClaims, delegationType, rootClaims } from '@tillit/policy'
import { caller, now, scope } from './policy-cases.ts'

export interface BenchChain {
  hops: [root: string, child: string]
  rootKey: PublicKey
  delegateeKey: string
  /** Verifies the two bare signatures, with keys that are already imported: the least that a chain can cost. */
  verifyRaw(): boolean
}

/** Two-hop chains of `count` customers, each with a wallet of their own, who all permitted the same party. */
export async function delegationChains(count: number): Promise<BenchChain[]> {
  const party = await signerFromSeed(new Uint8Array(32).fill(201))
  const processor = await signerFromSeed(new Uint8Array(32).fill(202))
  const delegateeKey = thumbprint(processor.publicKey)
  const chains: BenchChain[] = []
  for (let i = 0; i < count; i++) {
    const wallet = await signerFromSeed(new Uint8Array(32).fill(i + 1))
    const root = await hop(
      rootClaims({
        customerDid: didKeyFor(wallet.publicKey),
        partyDid: caller,
        permissionId: `perm_${i}`,
        partyKey: thumbprint(party.publicKey),
        scope,
        now,
      }),
      wallet,
    )
    const child = await hop(
      childClaims({
        parent: root,
        audience: 'did:web:cloud.example',
        audienceKey: delegateeKey,
        id: `hop-${i}`,
        scope: { ...scope, delegation: { ...scope.delegation, max_depth: 0 }, finest_granularity: 'P1D' },
        now,
      }),
      party,
    )
    const raw = [rawVerification(root, wallet), rawVerification(child, party)]
    const verifyRaw = () => raw.every((verification) => verification())
    chains.push({ hops: [root, child], rootKey: wallet.publicKey, delegateeKey, verifyRaw })
  }
  return chains
}

function hop(claims: object, signer: Signer): Promise<string> {
  return signJws({ typ: delegationType, jwk: toPublicJwk(signer.publicKey) }, claims, signer)
}

function rawVerification(jws: string, { publicKey }: Signer): () => boolean {
  const end = jws.lastIndexOf('.')
  const [message, signature] = [utf8(jws.slice(0, end)), fromBase64url(jws.slice(end + 1))]
  const key: KeyObject = createPublicKey({ key: { ...toPublicJwk(publicKey) }, format: 'jwk' })
  return () => verify(null, message, key, signature)
}
