/** A command, loaded: that takes longer than most commands run, so none is loaded but the one that is called. */
export interface Command {
  /** Gives the exit status. */
  run(args: string[]): Promise<number>
  /** How it is called; of its own commands the one that the arguments begin with. */
  usage(args: string[]): string
}

export const commands: Readonly<Record<string, () => Promise<Command>>> = {
  import: async () => {
    const { importFile, importUsage } = await import('./import-file.ts')
    return { run: importFile, usage: () => importUsage }
  },
  read: async () => {
    const { readReadings, readUsage } = await import('./read-readings.ts')
    return { run: readReadings, usage: () => readUsage }
  },
  verify: async () => {
    const { verifyReceipt, verifyUsage } = await import('./verify-receipt.ts')
    return { run: verifyReceipt, usage: () => verifyUsage }
  },
  receipt: async () => {
    const { makeReceipt, receiptUsage } = await import('./make-receipt.ts')
    return { run: makeReceipt, usage: () => receiptUsage }
  },
  fsck: async () => {
    const { fsck, fsckUsage } = await import('./audit/fsck.ts')
    return { run: fsck, usage: () => fsckUsage }
  },
  monitor: async () => {
    const { monitor, monitorUsage } = await import('./audit/monitor.ts')
    return { run: monitor, usage: () => monitorUsage }
  },
  credentials: async () => {
    const { credentials, usageOfCredentials } = await import('./credentials/credentials.ts')
    return { run: credentials, usage: usageOfCredentials }
  },
  did: async () => {
    const { did, usageOfDid } = await import('./did/did.ts')
    return { run: did, usage: usageOfDid }
  },
  wallet: async () => {
    const { usageOfWallet, wallet } = await import('./wallet/wallet.ts')
    return { run: wallet, usage: usageOfWallet }
  },
  anchor: async () => {
    const { anchorStatus, anchorUsage } = await import('./anchor-status.ts')
    return { run: anchorStatus, usage: () => anchorUsage }
  },
  witness: async () => {
    const { usageOfWitness, witness } = await import('./witness.ts')
    return { run: witness, usage: usageOfWitness }
  },
}

const summaries = [
  ['import FILE', 'a Green Button feed or a CSV file into a metering point'],
  ['read', 'readings of a metering point, as an eligible party'],
  ['verify RECEIPT', 'a receipt: entry, log, ledger'],
  ['receipt ENTRY', 'a receipt of a public entry: of a listed DID, for instance'],
  ['fsck URL', 'the whole log of a city, with all that the city and the ledger say'],
  ['monitor URL', 'follows a city’s log: forks, shrinking, what waits too long'],
  ['did create PLACE', 'a did:webvh of one’s own, made offline'],
  ['did update', 'its services, witnesses, watchers'],
  ['did rotate', 'a new key for it'],
  ['did move PLACE', 'to another place, with its history'],
  ['did deactivate', 'its end'],
  ['did resolve DID', 'what any DID resolves to'],
  ['credentials issue', 'credentials or offers for a whole customer base, from a CSV file'],
  ['credentials revoke ID', 'ends a credential for good'],
  ['credentials suspend ID', 'for a while; credentials reinstate ID ends that'],
  ['credentials key-compromised KEY', 'nothing that the key signed is believed any more'],
  ['anchor status', 'how far the ledger holds a city’s log, and whether the two agree'],
  ['wallet receive LINK', 'credentials that are offered, into a wallet in a file'],
  ['wallet list', 'what it holds; wallet collect fetches what was promised'],
  ['wallet present LINK', 'shows what a verifier asks, and answers'],
  ['witness init', 'the keys of a witness of logs'],
  ['witness rotate', 'new keys for it, beside the old ones until those are ended'],
  ['witness', 'runs it: cosigns what follows, refuses forks'],
] as const

const callWidth = Math.max(...summaries.map(([call]) => call.length))

/** Every command in a line, and what they have in common. */
export const overview = `tillit: the command line of a Tillit city

${summaries.map(([call, does]) => `  tillit ${call.padEnd(callWidth)}  ${does}`).join('\n')}

tillit COMMAND --help   how a command is called, and all its options
tillit --version        which version this is

Exit status: 0 done, 1 refused or not true, 2 called wrongly, 3 verified in the log but not anchored yet.`
