import { parseArgs } from 'node:util'
import { connectCity } from '@tillit/client'
import { UsageError } from './usage-error.ts'

export const didUsage = `tillit did DID [--city URL]
  Resolves a DID through a city's resolver and prints the resolution result.`

export async function resolveDid(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { city: { type: 'string', default: 'http://127.0.0.1:8080' } },
  })
  const [did] = positionals
  if (did === undefined || positionals.length !== 1) throw new UsageError(didUsage)
  const result = await connectCity({ url: values.city }).get(`/1.0/identifiers/${encodeURIComponent(did)}`, {
    accept: 'application/did-resolution',
  })
  console.log(JSON.stringify(result, null, 2))
  return 0
}
