import { openKeyStore } from './index.ts'

/** Writes and rotates until it is killed, and says each time what is written. */
const [folder = '', passphrase = ''] = process.argv.slice(2)
const keys = await openKeyStore({ folder, passphrase, now: () => new Date() })
await keys.signer('log')
const [newest] = await keys.list()
for (let count = newest?.version ?? 1; ; count++) {
  await keys.replace('counter', String(count))
  process.stdout.write(`${count}\n`)
  await keys.rotate('log', { overlapSeconds: 0 })
}
