import { parseArgs } from 'node:util'
import { createDid } from '@tillit/client'
import { signerFromJwk, toMultikey } from '@tillit/keys'
import { onlyArgument, UsageError } from '../usage-error.ts'
import {
  checkWatchers,
  contentOptions,
  fileOptions,
  parseCount,
  parsePlace,
  parseServices,
  parseWitness,
} from './did-options.ts'
import { type DidKeyFile, keyFileText, newKey, readKeyFile, writePrivately } from './key-file.ts'
import { readLogFile, writeLogFile } from './log-file.ts'
import { sendLog } from './send-log.ts'

export const createUsage = `tillit did create PLACE [--key FILE] [--log FILE] [--register CITY] [--listed] [--pre-rotate]
                  [--portable] [--service NAME=TYPE=URL]… [--witness did:key:…]… [--threshold N]
                  [--watcher URL]… [--ttl SECONDS]
  Makes a did:webvh with keys of its own, offline. Run again it makes no second one but finishes what
  was begun.
  PLACE        where the DID lives: city.example/dids/NAME; an unlisted DID wants a name that nobody
               guesses
  --key        where the keys go (did-key.json); the file is the DID: keep it secret, keep a copy
  --log        where the log goes (did.jsonl)
  --register   URL of the city that is to host the DID
  --listed     the DID may be seen by everybody: an organisation, not a person
  --pre-rotate commit to the next key now, so that a thief of this one cannot take over
  --portable   the DID may move to another place later
  --service    a service in its document: #NAME, of that TYPE, at that URL
  --witness    whose approval its versions need: --threshold of them, or all without it
  --watcher    URL of a watcher, who keeps a copy
  --ttl        how long resolvers may keep the document`

export async function createDidFiles(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      ...fileOptions,
      ...contentOptions,
      listed: { type: 'boolean', default: false },
      'pre-rotate': { type: 'boolean', default: false },
      portable: { type: 'boolean', default: false },
    },
  })
  const { host, path } = parsePlace(onlyArgument(positionals, { name: 'PLACE', usage: createUsage }))
  const made = await readLogFile(values.log)
  if (made !== null) {
    const file = await readKeyFile(values.key)
    if (file.did !== made.state.did) throw new UsageError(`${values.log} is the log of another DID than ${values.key}.`)
    console.error(`${values.log} is there already; no second DID is made.`)
    if (values.register !== undefined) await sendLog(values.register, made.entries, file)
    console.log(made.state.did)
    return 0
  }
  // A crash after the keys and before the log leaves keys that no DID has; only those may be overwritten.
  const current = await newKey()
  const next = values['pre-rotate'] ? await newKey() : null
  const created = await createDid({
    host,
    path,
    signer: current.signer,
    nextKeys: next === null ? [] : [next.signer.publicKey],
    portable: values.portable,
    now: new Date(),
    ...(values.service === undefined ? {} : { services: parseServices(values.service) }),
    ...(values.witness === undefined ? {} : { witness: parseWitness(values.witness, values.threshold) }),
    ...(values.watcher === undefined ? {} : { watchers: checkWatchers(values.watcher) }),
    ...(values.ttl === undefined ? {} : { ttlSeconds: parseCount(values.ttl, '--ttl') }),
  })
  const file: DidKeyFile = {
    name: path.at(-1) ?? host,
    city: values.register ?? '',
    did: created.did,
    key_id: `${created.did}#${toMultikey((await signerFromJwk(current.jwk)).publicKey)}`,
    private_jwk: current.jwk,
    listed: values.listed,
    keys: next === null ? [current.jwk] : [current.jwk, next.jwk],
  }
  await refuseToOverwrite(values.key)
  await writePrivately(values.key, keyFileText(file))
  await writeLogFile(values.log, [created.entry])
  if (values.register !== undefined) await sendLog(values.register, [created.entry], { listed: values.listed })
  console.log(created.did)
  return 0
}

async function refuseToOverwrite(path: string): Promise<void> {
  const there = await readKeyFile(path).then(
    () => true,
    (error: unknown) => !(error instanceof UsageError && isAbsence(error.cause)),
  )
  if (there)
    throw new UsageError(`${path} is there already, and its DID's log is not. Name another file with --key FILE.`)
}

function isAbsence(cause: unknown): boolean {
  return cause instanceof Error && 'code' in cause && cause.code === 'ENOENT'
}
