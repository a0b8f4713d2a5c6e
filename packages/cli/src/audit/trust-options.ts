import { readFile } from 'node:fs/promises'
import type { TrustPolicy } from '@tillit/client'
import { parseTrustPolicy } from '@tillit/client'
import { fromUtf8 } from '@tillit/codec'
import { UsageError } from '../usage-error.ts'

export const trustUsage = `  --policy    file of the logs and witnesses that you trust (C2SP tlog-policy); without it the log's own word is taken
  --vkey      the log's key as you know it`

/** What `--policy` and `--vkey` say of whom the caller trusts. Throws Problem invalid-trust-policy for a policy that is none. */
export async function readTrust(values: {
  policy?: string | undefined
  vkey?: string | undefined
}): Promise<{ vkey?: string; policy?: TrustPolicy }> {
  return {
    ...(values.vkey === undefined ? {} : { vkey: values.vkey }),
    ...(values.policy === undefined ? {} : { policy: parseTrustPolicy(fromUtf8(await readPolicy(values.policy))) }),
  }
}

async function readPolicy(file: string): Promise<Uint8Array> {
  try {
    return await readFile(file)
  } catch (cause) {
    throw new UsageError(`${file} cannot be read`, { cause })
  }
}

/** The URL of a city, without what does not belong to it. */
export function cityUrl(text: string | undefined, usage: string): string {
  if (text === undefined || !URL.canParse(text)) throw new UsageError(usage)
  const { protocol, origin } = new URL(text)
  if (protocol !== 'https:' && protocol !== 'http:') throw new UsageError(usage)
  return origin
}

/** What a city says is free text in places; a terminal gets no control characters of it. */
export function forTerminal(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}]/gu, ' ')
}
