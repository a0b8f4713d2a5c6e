import { readFile } from 'node:fs/promises'
import { fromUtf8 } from '@tillit/codec'
import { parseTrustPolicy, type TrustPolicy } from '@tillit/log'
import { UsageError } from '../usage-error.ts'

export const trustUsage = `  --policy    file of the logs and witnesses that you trust (C2SP tlog-policy); without it the log's
              own word is taken
  --vkey      the log's key as you know it`

/** What `--policy` and `--vkey` say of whom the caller trusts. Throws Problem invalid-trust-policy for a policy that is none. */
export async function readTrust(values: {
  policy?: string | undefined
  vkey?: string | undefined
}): Promise<{ vkey?: string; policy?: TrustPolicy }> {
  return {
    ...(values.vkey === undefined ? {} : { vkey: values.vkey }),
    ...(values.policy === undefined ? {} : { policy: await readPolicy(values.policy) }),
  }
}

/** Throws Problem invalid-trust-policy for a file that is no policy. */
export async function readPolicy(file: string): Promise<TrustPolicy> {
  const bytes = await readFile(file).catch((cause) => {
    throw new UsageError(`${file} cannot be read.`, { cause })
  })
  return parseTrustPolicy(fromUtf8(bytes))
}

/** What a city says is free text in places; a terminal gets no control characters of it. */
export function forTerminal(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}]/gu, ' ')
}
