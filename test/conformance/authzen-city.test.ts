import { parseJws, parseMultikey, verifyJws } from '@tillit/keys'
import type { AuthzenConfiguration } from '@tillit/schemas'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openStage, type Stage } from '../journeys/stage.ts'

let stage: Stage
beforeAll(async () => {
  stage = await openStage()
})
afterAll(() => stage.close())

interface Resolved {
  didDocument: { verificationMethod: { id: string; publicKeyMultibase?: string }[] }
}

async function get<Body>(path: string): Promise<Body> {
  const response = await fetch(stage.city.url + path)
  expect(response.status).toBe(200)
  return (await response.json()) as Body
}

test('the metadata of a city is signed by a key that the DID of its authority names', async () => {
  const { signed_metadata, ...plain } = await get<AuthzenConfiguration>('/.well-known/authzen-configuration')
  const { did } = await get<{ did: string }>('/authority')
  const { didDocument } = await get<Resolved>(`/1.0/identifiers/${encodeURIComponent(did)}`)
  const { kid } = parseJws(signed_metadata).header
  const method = didDocument.verificationMethod.find(({ id }) => id === kid || did + id === kid)
  const key = parseMultikey(String(method?.publicKeyMultibase))
  const { payload } = verifyJws(signed_metadata, key, { typ: 'authzen-configuration+jwt' })
  expect(payload).toMatchObject({ ...plain, iss: did })
  expect(plain.policy_decision_point).toBe(stage.city.url)
})
