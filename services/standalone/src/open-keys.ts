import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type KeyStore, openKeyStore, storeKeyFile, type TokenOptions, writeDurably } from '@tillit/key-store'
import { isProblem, Problem } from '@tillit/problem'
import type { Config } from './config.ts'

export function keysFolder({ dataDir }: Pick<Config, 'dataDir'>): string {
  return join(dataDir, 'keys')
}

/** The passphrase that a development city makes for itself. */
export function ownPassphraseFile({ dataDir }: Pick<Config, 'dataDir'>): string {
  return join(dataDir, 'key-passphrase')
}

/** Opens the city's keys as they are configured. Throws Problem invalid-configuration in words for the operator. */
export async function openKeys(
  config: Config,
  { now, readOnly = false }: { now: () => Date; readOnly?: boolean },
): Promise<KeyStore> {
  const passphrase = await readPassphrase(config)
  const token = config.token === null || readOnly ? null : await tokenOptions(config.token)
  try {
    return await openKeyStore({ folder: keysFolder(config), passphrase, token, now, readOnly })
  } catch (cause) {
    if (!isProblem(cause, 'invalid-configuration')) throw cause
    // The store knows no files outside of its folder; whoever reads this has to know which one held the passphrase.
    const from = config.keyPassphraseFile ?? ownPassphraseFile(config)
    throw new Problem(cause.code, {
      detail: `${cause.message} (keys in ${keysFolder(config)}, passphrase from ${from})`,
      cause,
    })
  }
}

/**
 * The passphrase of KEY_PASSPHRASE_FILE, or the one that a development city keeps with its data: whoever has the whole
 * folder has the keys then. Made once, and never again when there are keys that it opened.
 */
export async function readPassphrase(config: Config): Promise<string> {
  if (config.keyPassphraseFile !== null) return readLine('KEY_PASSPHRASE_FILE', config.keyPassphraseFile)
  const file = ownPassphraseFile(config)
  if (existsSync(file)) return readLine('The passphrase of the keys', file)
  if (existsSync(join(keysFolder(config), storeKeyFile)))
    throw new Problem('invalid-configuration', {
      detail: `The passphrase of the keys in ${keysFolder(config)} is not there: put back ${file}, or let KEY_PASSPHRASE_FILE name the file that has it`,
    })
  const passphrase = randomBytes(32).toString('base64url')
  await mkdir(config.dataDir, { recursive: true })
  await writeDurably(file, `${passphrase}\n`)
  return passphrase
}

/** The text of a file that holds one secret, without the end of its line. Throws Problem invalid-configuration. */
export async function readLine(what: string, file: string): Promise<string> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (cause) {
    throw new Problem('invalid-configuration', { detail: `${what}: ${file} cannot be read`, cause })
  }
  const line = text.replace(/\r?\n$/, '')
  if (line === '' || line.includes('\n'))
    throw new Problem('invalid-configuration', { detail: `${what}: ${file} has to hold one line` })
  return line
}

async function tokenOptions({ modulePath, label, pinFile }: NonNullable<Config['token']>): Promise<TokenOptions> {
  return { modulePath, tokenLabel: label, pin: await readLine('PKCS11_PIN_FILE', pinFile) }
}
