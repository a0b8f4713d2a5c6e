import { parseArgs } from 'node:util'
import type { OpenedOffer, Received } from '@tillit/client'
import { cityUrl } from '../city-at.ts'
import { onlyArgument, UsageError } from '../usage-error.ts'
import { agree, ask } from './agree.ts'
import { printCredentials } from './list.ts'
import { openWalletFile, walletOptions, walletOptionsUsage } from './wallet-file.ts'

export const receiveUsage = `tillit wallet receive LINK [--tx-code CODE] [--copies N] [--yes]
tillit wallet receive --own TYPE --identity FILE
                      [--store FILE] [--city URL] [--json]
  Receives what a credential offer holds (OpenID4VCI), or what a DID may have of its own from --city.
  LINK        the link of the offer: openid-credential-offer://…
  --tx-code   the code that the issuer sent another way; asked for when it is needed
  --copies    several of each, with a key each, so that verifiers cannot link them
  --yes       accept without asking
  --own       a type of credential, such as OrganisationCredential or MeterDeviceCredential
${walletOptionsUsage}`

const mostCopies = 100

export async function receive(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      ...walletOptions,
      'tx-code': { type: 'string' },
      copies: { type: 'string', default: '1' },
      yes: { type: 'boolean', default: false },
      own: { type: 'string' },
    },
  })
  const copies = parseCopies(values.copies)
  const wallet = await openWalletFile(values)
  let received: Received
  if (values.own !== undefined) {
    if (values.identity === undefined) throw new UsageError('--own needs --identity FILE: whose own it is.')
    received = await wallet.receiveOwn(cityUrl(values.city), [values.own])
  } else {
    const opened = await wallet.openOffer(onlyArgument(positionals, { name: 'LINK', usage: receiveUsage }))
    console.error(describeOffer(opened))
    if (!(await agree('Accept it?', values))) return 1
    const txCode = await txCodeFor(opened, values['tx-code'])
    received = await wallet.receive(opened, { copies, ...(txCode === undefined ? {} : { txCode }) })
  }
  const ids = new Set(received.credentials.map(({ id }) => id))
  printCredentials(
    (await wallet.list()).filter(({ held }) => ids.has(held.id)),
    values,
  )
  for (const { configurationId, askAfter } of received.deferred)
    console.error(`${configurationId} is promised: "tillit wallet collect" from ${askAfter} on.`)
  return 0
}

function describeOffer({ offer, metadata }: OpenedOffer): string {
  const types = offer.configurationIds.map((id) => {
    const [display] = metadata.configurations.get(id)?.display ?? []
    return typeof display?.name === 'string' ? `${display.name} (${id})` : id
  })
  const signer = metadata.signedBy === null ? '' : `\n  signed   ${metadata.signedBy}`
  return `An offer of ${offer.credentialIssuer}${signer}\n  offered  ${types.join(', ')}`
}

async function txCodeFor({ offer }: OpenedOffer, given: string | undefined): Promise<string | undefined> {
  const hint = offer.preAuthorized?.txCode
  if (hint === undefined || hint === null) return undefined
  if (given !== undefined) return given
  if (!process.stdin.isTTY) throw new UsageError('The offer needs a code that came another way: --tx-code CODE.')
  return (await ask(`${hint.description ?? 'The code that came another way'}: `)).trim()
}

function parseCopies(text: string): number {
  const copies = Number(text)
  if (Number.isInteger(copies) && copies >= 1 && copies <= mostCopies) return copies
  throw new UsageError(`--copies takes a number from 1 to ${mostCopies}.`)
}
