import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type PrivateJwk, parsePublicJwk, signerFromJwk } from '@tillit/keys'
import { Problem } from '@tillit/problem'
import { type KeyRecord, recordSuffix } from './key-record.ts'
import { removePlain, type SealedFolder, sealedSuffix } from './sealed-folder.ts'
import { partialSuffix } from './write-durably.ts'

const jwkSuffix = '.jwk.json'
/** What older cities wrote. Any other file, such as a copy that somebody keeps, is left alone. */
const plainNames = /^[A-Za-z0-9][A-Za-z0-9_-]*(\.jwk\.json|\.identity\.json)?$/

/**
 * Seals the keys and secrets that an older city left as plain files. Each is removed once its sealed form is durable, so a
 * crash at any point leaves at least one of the two. Throws Problem invalid-configuration for a key that is damaged, or that
 * differs from the sealed one of its name.
 */
export async function takeOverPlainFiles(folder: string, sealed: SealedFolder): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile()).map(({ name }) => name)
  for (const file of files.filter((name) => plainNames.test(name))) {
    await (file.endsWith(jwkSuffix) ? takeOverKey(folder, file, sealed) : takeOverSecret(folder, file, sealed))
    await removePlain(folder, file)
  }
  // What was half-written when a city crashed may be half a key in plain.
  for (const file of files.filter((name) => name.endsWith(partialSuffix))) await removePlain(folder, file)
}

async function takeOverKey(folder: string, file: string, sealed: SealedFolder): Promise<void> {
  const jwk = await parseKey(file, await readFile(join(folder, file), 'utf8'))
  const name = file.slice(0, -jwkSuffix.length) + recordSuffix
  const kept = await sealed.read(name)
  if (kept !== null) {
    const { versions } = JSON.parse(kept) as KeyRecord
    if (versions.some(({ key }) => key.held === 'jwk' && key.jwk.d === jwk.d)) return
    throw twoOf(file, name)
  }
  const { mtime } = await stat(join(folder, file))
  const record: KeyRecord = {
    alg: jwk.kty === 'OKP' ? 'EdDSA' : 'ES256',
    exportable: false,
    versions: [{ version: 1, created: mtime.toISOString(), ends: null, key: { held: 'jwk', jwk } }],
  }
  await sealed.write(name, JSON.stringify(record))
}

async function takeOverSecret(folder: string, file: string, sealed: SealedFolder): Promise<void> {
  const text = await readFile(join(folder, file), 'utf8')
  const kept = await sealed.read(file)
  if (kept === text) return
  if (kept !== null) throw twoOf(file, file)
  await sealed.write(file, text)
}

/** The cause is left out: it may quote the key. */
async function parseKey(file: string, text: string): Promise<PrivateJwk> {
  try {
    const jwk = JSON.parse(text) as PrivateJwk
    parsePublicJwk({ kty: jwk.kty, crv: jwk.crv, x: jwk.x, y: jwk.y })
    await signerFromJwk(jwk)
    return jwk
  } catch {
    throw new Problem('invalid-configuration', {
      detail: `The key file ${file} is damaged; put it back from a copy of the folder`,
    })
  }
}

function twoOf(file: string, name: string): Problem {
  return new Problem('invalid-configuration', {
    detail: `The key file ${file} stands in plain beside ${name}${sealedSuffix}, which holds another; take away the one that is not this city's`,
  })
}
