import { randomBytes } from 'node:crypto'
import { type IssuancePorts, newRequestKey, openRequestDecryption } from '../src/index.ts'

export type IssuanceOptions = Partial<Pick<IssuancePorts, 'keyAttesters' | 'factsOf'>>

/** The ports of issuing by OpenID4VCI, with keys of this test's own. */
export async function testIssuance({ keyAttesters, factsOf }: IssuanceOptions): Promise<IssuancePorts> {
  return {
    offerSecret: new Uint8Array(randomBytes(32)),
    requestDecryption: await openRequestDecryption(newRequestKey()),
    keyAttesters: keyAttesters ?? null,
    ...(factsOf === undefined ? {} : { factsOf }),
  }
}
