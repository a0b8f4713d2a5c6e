import { parseArgs } from 'node:util'
import { type DidState, deactivateDid, nextDidState, rotateDid, updateDid } from '@tillit/client'
import { type PrivateJwk, type Signer, signerFromJwk, toMultikey } from '@tillit/keys'
import type { DidLogEntry } from '@tillit/schemas'
import { wrongCall } from '../usage-error.ts'
import { checkWatchers, contentOptions, fileOptions, parseCount, parseServices, parseWitness } from './did-options.ts'
import { type DidKeyFile, keyFileText, newKey, readKeyFile, signerFor, writePrivately } from './key-file.ts'
import { type OpenLog, openLogFile, writeLogFile } from './log-file.ts'
import { sendLog } from './send-log.ts'

const registering = `  --register   URL of the city that hosts the DID: it is sent what it does not have. Where that is
               an entry made before (it could not be reached, say), that one is sent and nothing
               new is made`

const places = `  --key        the keys of the DID (did-key.json)
  --log        its log (did.jsonl)`

export const updateUsage = `tillit did update [--key FILE] [--log FILE] [--register CITY] [--service NAME=TYPE=URL]…
                  [--witness did:key:…]… [--threshold N] [--no-witness] [--watcher URL]…
                  [--no-watcher] [--ttl SECONDS] [--not-portable]
  Makes the next entry; what is not named stays. Given services, witnesses or watchers replace those
  before.
${places}
${registering}`

export const rotateUsage = `tillit did rotate [--key FILE] [--log FILE] [--register CITY] [--pre-rotate | --no-pre-rotate]
  Replaces the key of the DID, in its document and for its updates. Where the next key was committed
  to, that one is taken and another committed to; --pre-rotate begins to do so, --no-pre-rotate ends
  it.
${places}
${registering}`

export const deactivateUsage = `tillit did deactivate [--key FILE] [--log FILE] [--register CITY]
  Ends the DID, for good.
${places}
${registering}`

interface Change {
  readonly state: DidState
  readonly signer: Signer
  readonly now: Date
  /** The key to commit to, where keys are pre-rotated: made and written down before the entry that names it. */
  readonly next: Signer | null
}

interface Plan {
  /** Whether the entry is to commit to a next key: as before where it is undefined. */
  readonly preRotate?: boolean
  readonly newKey?: boolean
  readonly make: (change: Change, fresh: Signer | null) => Promise<DidLogEntry>
}

export function updateDidFiles(args: string[]): Promise<number> {
  const options = {
    ...fileOptions,
    ...contentOptions,
    'no-witness': { type: 'boolean', default: false },
    'no-watcher': { type: 'boolean', default: false },
    'not-portable': { type: 'boolean', default: false },
  } as const
  const { values } = parseArgs({ args, options })
  const changes = {
    ...(values.service === undefined ? {} : { services: parseServices(values.service) }),
    ...(values.witness === undefined ? {} : { witness: parseWitness(values.witness, values.threshold) }),
    ...(values['no-witness'] ? { witness: null } : {}),
    ...(values.watcher === undefined ? {} : { watchers: checkWatchers(values.watcher) }),
    ...(values['no-watcher'] ? { watchers: [] } : {}),
    ...(values.ttl === undefined ? {} : { ttlSeconds: parseCount(values.ttl, '--ttl') }),
    ...(values['not-portable'] ? { portable: false as const } : {}),
  }
  if (Object.keys(changes).length === 0) throw wrongCall('Nothing is named that is to change.', updateUsage)
  return change(values, {
    make: ({ state, ...signing }) => updateDid(state, { ...changes, ...committing(signing, state) }),
  })
}

export function rotateDidFiles(args: string[]): Promise<number> {
  const options = {
    ...fileOptions,
    'pre-rotate': { type: 'boolean', default: false },
    'no-pre-rotate': { type: 'boolean', default: false },
  } as const
  const { values } = parseArgs({ args, options })
  if (values['pre-rotate'] && values['no-pre-rotate'])
    throw wrongCall('Either --pre-rotate or --no-pre-rotate.', rotateUsage)
  return change(values, {
    ...(values['pre-rotate'] ? { preRotate: true } : {}),
    ...(values['no-pre-rotate'] ? { preRotate: false } : {}),
    newKey: true,
    make: ({ state, ...signing }, fresh) => {
      // Where the signer's key was committed to, it is the new one; otherwise it signs its successor in.
      const key = (fresh ?? signing.signer).publicKey
      return rotateDid(state, { ...committing(signing, state), updateKeys: [key], keys: [key] })
    },
  })
}

export function deactivateDidFiles(args: string[]): Promise<number> {
  const { values } = parseArgs({ args, options: fileOptions })
  return change(values, { preRotate: false, make: ({ state, signer, now }) => deactivateDid(state, { signer, now }) })
}

/** Makes the next entry, writes it down, and sends it to the city that is named. */
export async function change(
  files: { key: string; log: string; register?: string | undefined },
  plan: Plan,
): Promise<number> {
  const file = await readKeyFile(files.key)
  const log = await openLogFile(files.log)
  if (files.register !== undefined && (await sendLog(files.register, log.entries, file)) > 0) {
    console.error('An entry made before was sent. Run the command again to make a new one.')
    console.log(log.state.versionId)
    return 0
  }
  const { entry, jwk, keys } = await nextEntry(file, log, plan)
  const state = nextDidState({ state: log.state, entry, now: new Date() })
  const publicKey = (await signerFromJwk(jwk)).publicKey
  // Keys before log: a log whose keys are lost could never be changed again, keys without an entry do no harm.
  await writePrivately(files.key, keyFileText({ ...file, keys }))
  await writeLogFile(files.log, [...log.entries, entry])
  const keyId = `${state.did}#${toMultikey(publicKey)}`
  await writePrivately(files.key, keyFileText({ ...file, did: state.did, key_id: keyId, private_jwk: jwk, keys }))
  if (files.register !== undefined) await sendLog(files.register, [...log.entries, entry], file)
  console.log(state.versionId)
  return 0
}

/** The entry, the key that the document has after it, and all keys to be kept. */
async function nextEntry(
  file: DidKeyFile,
  { state }: OpenLog,
  plan: Plan,
): Promise<{ entry: DidLogEntry; jwk: PrivateJwk; keys: readonly PrivateJwk[] }> {
  const signing = await signerFor(state, file)
  const committed = state.nextKeyHashes.length > 0
  const fresh = plan.newKey && !committed ? await newKey() : null
  const next = (plan.preRotate ?? committed) ? await newKey() : null
  const made = { state, signer: signing.signer, now: new Date(), next: next?.signer ?? null }
  const entry = await plan.make(made, fresh?.signer ?? null)
  const jwk = fresh?.jwk ?? (plan.newKey ? signing.jwk : file.private_jwk)
  return { entry, jwk, keys: [...file.keys, ...[fresh, next].flatMap((key) => (key === null ? [] : [key.jwk]))] }
}

/** What the entry commits to: nothing to say where keys are not pre-rotated, before or after. */
export function committing({ next, ...signing }: Omit<Change, 'state'>, state: DidState) {
  if (next !== null) return { ...signing, nextKeys: [next.publicKey] }
  return state.nextKeyHashes.length > 0 ? { ...signing, nextKeys: [] } : signing
}
