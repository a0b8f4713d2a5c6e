import { equalBytes } from '@tillit/codec'
import { Problem } from '@tillit/problem'
import { type CosignerKey, formatCosignerKey, parseCosignerKey } from './cosigner-key.ts'
import { formatVerifierKey, parseVerifierKey, type VerifierKey } from './verifier-key.ts'

/** Most logs, witnesses and groups of each; the specification asks for at least 32. */
const maxOfEach = 64

/** Longest policy parsed, in characters: a witness with an ML-DSA-44 key takes nearly 2 kB. */
const maxPolicyCharacters = 250_000

/** The name that no witness may bear: nobody has to cosign (C2SP tlog-policy, defining the quorum). */
export const noQuorum = 'none'

export interface PolicyLog {
  readonly key: VerifierKey
  readonly url: string | null
}

export interface PolicyWitness {
  /** As groups and the quorum call it; it means nothing outside of the policy. */
  readonly name: string
  readonly key: CosignerKey
  readonly url: string | null
}

export interface PolicyGroup {
  readonly name: string
  /** How many of the members have to witness a checkpoint for the group to have witnessed it. */
  readonly threshold: number
  /** Names of witnesses, and of groups that stand before this one. */
  readonly members: readonly string[]
}

/** Which checkpoints are trusted: of which logs, cosigned by whom (C2SP tlog-policy). */
export interface TrustPolicy {
  readonly logs: readonly PolicyLog[]
  readonly witnesses: readonly PolicyWitness[]
  readonly groups: readonly PolicyGroup[]
  /** The name of a witness or group, or `none`. */
  readonly quorum: string
}

/** Parses a policy strictly. Throws Problem invalid-trust-policy, which names the line. */
export function parseTrustPolicy(text: string): TrustPolicy {
  if (text.length > maxPolicyCharacters) throw invalid('it is too long')
  // C2SP tlog-policy, character set. An octet that is not UTF-8 has no place in a string; who reads the file refuses it.
  if (hasForbiddenControls(text) || !text.isWellFormed()) throw invalid('it holds control characters or broken text')
  if (text !== '' && !text.endsWith('\n')) throw invalid('its last line does not end; the rest may be lost')
  const draft: Draft = { logs: [], witnesses: [], groups: [], quorum: null, defined: new Set(), grouped: new Set() }
  for (const [index, line] of text.split('\n').entries()) {
    try {
      takeLine(
        draft,
        line.split(/[ \t]+/).filter((item) => item !== ''),
      )
    } catch (cause) {
      throw invalid(`line ${index + 1}: ${cause instanceof Error ? cause.message : 'malformed'}`, cause)
    }
  }
  const { logs, witnesses, groups, quorum } = draft
  if (quorum === null) throw invalid('it has no quorum line')
  return { logs, witnesses, groups, quorum }
}

/** The policy as text that parses to it again. Throws Problem invalid-trust-policy for one that no text can say. */
export function formatTrustPolicy(policy: TrustPolicy): string {
  const lines = [
    ...policy.logs.map(({ key, url }) => ['log', formatVerifierKey(key), ...(url === null ? [] : [url])]),
    ...policy.witnesses.map(({ name, key, url }) => [
      'witness',
      name,
      formatCosignerKey(key),
      ...(url === null ? [] : [url]),
    ]),
    ...policy.groups.map(({ name, threshold, members }) => ['group', name, wordFor(threshold, members), ...members]),
    ['quorum', policy.quorum],
  ]
  const text = lines.map((items) => `${items.join(' ')}\n`).join('')
  parseTrustPolicy(text)
  return text
}

/** Whether these witnesses (by their names in the policy) make up its quorum. Names that are no witness's count nothing. */
export function quorumMet(policy: TrustPolicy, names: ReadonlySet<string>): boolean {
  if (policy.quorum === noQuorum) return true
  const witnessed = new Set(policy.witnesses.map(({ name }) => name).filter((name) => names.has(name)))
  // A group names only what stands before it, so one pass in order decides them all.
  for (const { name, threshold, members } of policy.groups) {
    if (members.filter((member) => witnessed.has(member)).length >= threshold) witnessed.add(name)
  }
  return witnessed.has(policy.quorum)
}

interface Draft {
  logs: PolicyLog[]
  witnesses: PolicyWitness[]
  groups: PolicyGroup[]
  quorum: string | null
  /** Names of witnesses and groups so far: they share one namespace. */
  defined: Set<string>
  /** Names that are a member of some group already. */
  grouped: Set<string>
}

function takeLine(draft: Draft, items: readonly string[]): void {
  const [keyword, ...rest] = items
  if (keyword === undefined || keyword.startsWith('#')) return
  if (keyword === 'log') takeLog(draft, rest)
  else if (keyword === 'witness') takeWitness(draft, rest)
  else if (keyword === 'group') takeGroup(draft, rest)
  else if (keyword === 'quorum') takeQuorum(draft, rest)
  else throw wrong('it starts with none of log, witness, group, quorum')
}

function takeLog({ logs }: Draft, [vkey, url, ...more]: readonly string[]): void {
  if (vkey === undefined || more.length > 0) throw wrong('a log has a key and at most a URL')
  const key = parseVerifierKey(vkey)
  // One key under two names is still one log's.
  if (logs.some((log) => equalBytes(log.key.publicKey.bytes, key.publicKey.bytes)))
    throw wrong('the log is there twice')
  logs.push({ key, url: url ?? null })
  refuseTooMany(logs)
}

function takeWitness(draft: Draft, [name, vkey, url, ...more]: readonly string[]): void {
  if (name === undefined || vkey === undefined || more.length > 0)
    throw wrong('a witness has a name, a key and at most a URL')
  const { witnesses } = draft
  const key = parseCosignerKey(vkey)
  if (witnesses.some((witness) => equalBytes(witness.key.publicKey.bytes, key.publicKey.bytes)))
    throw wrong('the witness is there twice')
  define(draft, name)
  witnesses.push({ name, key, url: url ?? null })
  refuseTooMany(witnesses)
}

function takeGroup(draft: Draft, [name, word, ...members]: readonly string[]): void {
  if (name === undefined || word === undefined || members.length === 0)
    throw wrong('a group has a name, a threshold and members')
  const threshold = parseThreshold(word, members.length)
  for (const member of members) {
    if (!draft.defined.has(member)) throw wrong(`${member} is not defined before`)
    if (draft.grouped.has(member)) throw wrong(`${member} is a member of a group already`)
    draft.grouped.add(member)
  }
  define(draft, name)
  draft.groups.push({ name, threshold, members })
  refuseTooMany(draft.groups)
}

function takeQuorum(draft: Draft, [name, ...more]: readonly string[]): void {
  if (name === undefined || more.length > 0) throw wrong('a quorum is one name')
  if (draft.quorum !== null) throw wrong('there is a quorum already')
  if (name !== noQuorum && !draft.defined.has(name)) throw wrong(`${name} is not defined before`)
  draft.quorum = name
}

function define({ defined }: Draft, name: string): void {
  if (name === noQuorum) throw wrong('none is no name')
  if (defined.has(name)) throw wrong(`${name} is defined twice`)
  defined.add(name)
}

function parseThreshold(word: string, members: number): number {
  if (word === 'all') return members
  if (word === 'any') return 1
  const threshold = /^[1-9][0-9]{0,3}$/.test(word) ? Number(word) : 0
  if (threshold < 1 || threshold > members) throw wrong('the threshold is not from one to the number of members')
  return threshold
}

function wordFor(threshold: number, members: readonly string[]): string {
  if (threshold === members.length) return 'all'
  return threshold === 1 ? 'any' : String(threshold)
}

function refuseTooMany(defined: readonly unknown[]): void {
  if (defined.length > maxOfEach) throw wrong(`there are more than ${maxOfEach} of them`)
}

/** Of the ASCII control characters only tab and newline may stand in a policy. */
function hasForbiddenControls(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if ((code < 0x20 && code !== 0x09 && code !== 0x0a) || code === 0x7f) return true
  }
  return false
}

function wrong(detail: string): Problem {
  return new Problem('invalid-trust-policy', { detail })
}

function invalid(detail: string, cause?: unknown): Problem {
  return new Problem('invalid-trust-policy', { detail: `The trust policy is not valid: ${detail}`, cause })
}
