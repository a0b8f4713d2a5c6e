import type { DidLogEntry } from '@tillit/schemas'
import { refuseEntry } from './refuse-entry.ts'

const entryMembers = ['versionId', 'versionTime', 'parameters', 'state', 'proof']
const maxVersionIdCharacters = 128
const maxProofs = 4

/** Checks what the `DidLogEntry` schema says, for entries that did not come through it. Throws Problem invalid-did-log. */
export function checkEntryShape(entry: unknown): DidLogEntry {
  if (!isObject(entry)) throw refuseEntry('The entry is not an object', '')
  for (const name of Object.keys(entry)) {
    if (!entryMembers.includes(name)) throw refuseEntry('The entry has a member that is not known', `/${name}`)
  }
  const { versionId, versionTime, parameters, state, proof } = entry
  if (typeof versionId !== 'string' || versionId.length > maxVersionIdCharacters)
    throw refuseEntry('The version id is not a short text', '/versionId')
  if (typeof versionTime !== 'string') throw refuseEntry('The version time is not a text', '/versionTime')
  if (!isObject(parameters)) throw refuseEntry('The parameters are not an object', '/parameters')
  if (!isObject(state)) throw refuseEntry('The state is not an object', '/state')
  if (!Array.isArray(proof) || proof.length === 0 || proof.length > maxProofs || !proof.every(isObject))
    throw refuseEntry(`The proof is not a list of 1 to ${maxProofs} objects`, '/proof')
  return { versionId, versionTime, parameters, state, proof }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
