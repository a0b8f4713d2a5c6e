import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Problem } from '@tillit/problem'
import { describe, expect, test } from 'vitest'
import { resolverOver, statusUri } from '../test/city.ts'
import type { CredentialStatus } from './credential-status.ts'
import { type CredentialVerificationOptions, verifyCredential } from './verify-credential.ts'

interface Vector {
  now: string
  root: string
  authorities: string[]
  documents: Record<string, unknown>[]
  accreditations: Record<string, string>
  /** Status by `uri#index`; the lists of the city itself answer valid for all others. */
  statuses: Record<string, CredentialStatus>
  /** Text, or an object as the W3C's data model has it. */
  credential: unknown
  expected?: Record<string, unknown>
  code?: string
}

function vectors(kind: 'valid' | 'invalid'): [string, Vector][] {
  const folder = join(import.meta.dirname, '../../../test/vectors/credential', kind)
  return readdirSync(folder).map((file) => [
    file.replace('.json', '').replaceAll('-', ' '),
    JSON.parse(readFileSync(join(folder, file), 'utf8')) as Vector,
  ])
}

function optionsOf(vector: Vector): CredentialVerificationOptions {
  return {
    resolveDid: resolverOver(vector.documents),
    now: new Date(vector.now),
    status: async (uri, idx) => {
      if (!uri.startsWith(statusUri)) throw new Problem('not-found')
      return vector.statuses[`${uri}#${idx}`] ?? 'valid'
    },
    trust: {
      rootDid: vector.root,
      authorityDids: vector.authorities,
      accreditationOf: async (did) => vector.accreditations[did] ?? null,
      keyIsCompromised: async () => false,
    },
  }
}

describe('valid', () => {
  test.each(vectors('valid'))('%s', async (_, vector) => {
    expect(await verifyCredential(vector.credential, optionsOf(vector))).toMatchObject(vector.expected ?? {})
  })
})

describe('invalid', () => {
  test.each(vectors('invalid'))('%s', async (_, vector) => {
    await expect(verifyCredential(vector.credential, optionsOf(vector))).rejects.toThrow(
      expect.objectContaining({ name: 'Problem', code: vector.code }),
    )
  })
})
