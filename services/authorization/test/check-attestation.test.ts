import { createPublicKey } from 'node:crypto'
import { generatePrivateJwk, signerFromJwk, toPublicJwk } from '@tillit/keys'
import { expect, test } from 'vitest'
import { checkAttestation } from '../src/wallet-attestation.ts'

const wallet = 'https://attested.example'
const weakJwk = { kty: 'OKP', crv: 'Ed25519', x: 'AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' }

test('an attestation for a weak key is refused before anything rests on that key', async () => {
  const { publicKey: strong } = await signerFromJwk(await generatePrivateJwk())
  const key = createPublicKey({ key: { ...weakJwk }, format: 'jwk' })
  const verified = (payload: Record<string, unknown>) => ({ protectedHeader: {}, payload, key })
  const check = (jwk: object) =>
    checkAttestation(verified({ cnf: { jwk } }), verified({ iss: wallet }), { clientId: wallet })
  expect(() => check(weakJwk)).toThrow(expect.objectContaining({ error: 'invalid_client' }))
  expect(() => check(toPublicJwk(strong))).not.toThrow()
})
