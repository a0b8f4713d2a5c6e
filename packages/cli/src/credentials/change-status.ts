import { parseArgs } from 'node:util'
import { connectAs } from '../identity.ts'
import { onlyArgument } from '../usage-error.ts'

const changes = {
  revoke: { method: 'POST', path: 'revocation', done: 'is revoked for good', does: 'Revokes a credential for good.' },
  suspend: { method: 'POST', path: 'suspension', done: 'is suspended', does: 'Suspends a credential.' },
  reinstate: { method: 'DELETE', path: 'suspension', done: 'is valid again', does: 'Ends the suspension of one.' },
} as const

export type StatusChange = keyof typeof changes

export function statusUsage(change: StatusChange): string {
  return `tillit credentials ${change} ID [--identity FILE] [--city URL]
  ${changes[change].does} Its issuer may, and the registrar. Again it changes nothing.
  ID          its id at the city (cred_…)
  --identity  file with the DID and key of who asks; without it that of the demonstration
  --city      the city's URL; without it that of the identity`
}

export async function changeStatus(change: StatusChange, args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { identity: { type: 'string' }, city: { type: 'string' } },
  })
  const id = onlyArgument(positionals, { name: 'ID', usage: statusUsage(change) })
  const city = await connectAs(values, 'utility')
  const { method, path, done } = changes[change]
  await city.text(method, `/credentials/${encodeURIComponent(id)}/${path}`)
  console.log(`${id} ${done}.`)
  return 0
}
