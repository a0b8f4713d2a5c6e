import { readFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { createResolver } from '@tillit/client'
import { cityAt } from '../city-at.ts'
import { onlyArgument, UsageError } from '../usage-error.ts'

export const resolveUsage = `tillit did resolve DID [--city URL | --log FILE [--witness-file FILE]]
                   [--version-id ID | --version-time TIME | --version-number N]
  Resolves a DID and prints the resolution result; "tillit did DID" does the same.
  --city          the city whose resolver is asked (http://127.0.0.1:8080)
  --log           ask nobody: verify the log of a did:webvh in this file
  --witness-file  with --log: the proofs of its witnesses (did-witness.json)`

export async function resolveDid(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      city: { type: 'string', default: 'http://127.0.0.1:8080' },
      log: { type: 'string' },
      'witness-file': { type: 'string' },
      'version-id': { type: 'string' },
      'version-time': { type: 'string' },
      'version-number': { type: 'string' },
    },
  })
  const did = onlyArgument(positionals, { name: 'DID', usage: resolveUsage })
  const query = {
    ...(values['version-id'] === undefined ? {} : { versionId: values['version-id'] }),
    ...(values['version-time'] === undefined ? {} : { versionTime: values['version-time'] }),
    ...(values['version-number'] === undefined ? {} : { versionNumber: values['version-number'] }),
  }
  if (values.log !== undefined)
    return resolveFromFiles(did, query, { log: values.log, witness: values['witness-file'] })
  const result = await cityAt(values.city).get(`/1.0/identifiers/${encodeURIComponent(did)}`, {
    accept: 'application/did-resolution',
    query,
  })
  console.log(JSON.stringify(result, null, 2))
  return 0
}

async function resolveFromFiles(
  did: string,
  { versionNumber, ...query }: { versionId?: string; versionTime?: string; versionNumber?: string },
  files: { log: string; witness: string | undefined },
): Promise<number> {
  const resolver = createResolver({
    webvhLog: () => readFile(files.log, 'utf8'),
    webvhWitness: async () => (files.witness === undefined ? null : readFile(files.witness, 'utf8')),
    fetchText: null,
    now: () => new Date(),
  })
  if (versionNumber !== undefined && !/^[1-9][0-9]{0,8}$/.test(versionNumber))
    throw new UsageError('--version-number takes a number.')
  const result = await resolver.resolve(did, {
    ...query,
    ...(versionNumber === undefined ? {} : { versionNumber: Number(versionNumber) }),
  })
  console.log(JSON.stringify(result, null, 2))
  return result.didResolutionMetadata.error === undefined ? 0 : 1
}
