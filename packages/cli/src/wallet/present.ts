import { parseArgs } from 'node:util'
import type { OpenedRequest } from '@tillit/client'
import { onlyArgument, UsageError } from '../usage-error.ts'
import { agree } from './agree.ts'
import { openWalletFile, walletOptions, walletOptionsUsage } from './wallet-file.ts'

export const presentUsage = `tillit wallet present LINK [--credential QUERY=ID]… [--yes]
                      [--store FILE] [--identity FILE] [--city URL] [--json]
  Answers a verifier (OpenID4VP): shows who asks and exactly what would be told, then asks.
  LINK          the link of the request: openid4vp://…
  --credential  which credential answers a query; the newest that fits unless given
  --yes         answer without asking
${walletOptionsUsage}`

export async function present(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      ...walletOptions,
      credential: { type: 'string', multiple: true, default: [] },
      yes: { type: 'boolean', default: false },
    },
  })
  const wallet = await openWalletFile(values)
  const link = onlyArgument(positionals, { name: 'LINK', usage: presentUsage })
  const opened = await wallet.openRequest(link, { choose: choicesIn(values.credential) })
  console.error(describeRequest(opened))
  if (!(await agree('Tell it?', values))) {
    await wallet.decline(opened)
    console.error('The verifier was told that there is no answer.')
    return 1
  }
  const { redirectUri } = await wallet.present(opened)
  if (values.json) console.log(JSON.stringify({ answered: true, redirect_uri: redirectUri }))
  else console.log(redirectUri === null ? 'The verifier has the answer.' : `Go on at ${redirectUri}`)
  return 0
}

function describeRequest({ request, answer }: OpenedRequest): string {
  const queries = [...answer].flatMap(([query, { held, asked }]) => [
    `  ${query}: ${held.configurationId} (${held.id}) tells`,
    ...asked.map(({ path, value }) => `    ${path.join('.')}  ${JSON.stringify(value)}`),
    ...(asked.length === 0 ? ['    that you hold it'] : []),
  ])
  const transactions = request.transactionData.map(
    ({ type, details }) => `  and you sign this ${type}:\n    ${JSON.stringify(details)}`,
  )
  const { asker } = request
  const words = asker === null ? '' : ` for ${asker.name}: ${asker.purpose}`
  return [`${request.verifierDid} asks${words}`, ...queries, ...transactions].join('\n')
}

function choicesIn(texts: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    texts.map((text) => {
      const [query = '', id = ''] = text.split('=')
      if (query === '' || id === '') throw new UsageError('--credential takes QUERY=ID.')
      return [query, id]
    }),
  )
}
