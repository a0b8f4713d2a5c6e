import { cosignerKey, formatCosignerKey } from '@tillit/log'
import { makeWitnessKeys, readWitnessKeys } from '../../packages/cli/src/witness-keys.ts'

/** Makes the keys of a witness in its folder, and gives the lines of a trust policy that name them, without their URL. */
export async function initWitness({ state, name }: { state: string; name: string }): Promise<string[]> {
  await makeWitnessKeys(state, name)
  const { signers } = await readWitnessKeys(state)
  return signers.map(
    ({ alg, publicKey }) => `witness ${name}/${alg} ${formatCosignerKey(cosignerKey(name, publicKey))}`,
  )
}
