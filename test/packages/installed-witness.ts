import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { toBase64url, toHex } from '@tillit/codec'
import { signerFromSeed } from '@tillit/keys'
import {
  commit,
  formatReceiptText,
  formatTlogProof,
  formatVerifierKey,
  leafHash,
  saltBytes,
  signCheckpoint,
  verifierKey,
} from '@tillit/log'

const origin = 'city.example/log'
const salt = new Uint8Array(saltBytes).fill(8)
const entry = { at: '2026-03-01T12:00:00Z', decision: 'permit' }
const commitment = commit(salt, entry)

/** A log of one entry: its key, its checkpoint, and the receipt of the entry once the checkpoint is cosigned. */
export async function logOfOne() {
  const signer = await signerFromSeed(new Uint8Array(32).fill(1))
  const vkey = formatVerifierKey(verifierKey(origin, signer.publicKey))
  const note = await signCheckpoint({ origin, size: 1, root: leafHash(commitment) }, signer)
  const receiptUnder = (checkpoint: string) =>
    formatReceiptText({
      type: 'tillit-receipt/v1',
      city: 'https://city.example',
      opening: { kind: 'access-record', entry, salt: toBase64url(salt), commitment: toHex(commitment) },
      leaf: {
        commitment: toHex(commitment),
        index: 0,
        proof: formatTlogProof({ index: 0, hashes: [], checkpoint }),
        anchor: null,
        log: { origin, vkey, self_witnessed: false },
      },
    })
  return { vkey, note, receiptUnder }
}

/** The same note with one byte of its last signature changed. */
export function withLastSignatureChanged(note: string): string {
  const at = note.length - 100
  return note.slice(0, at) + (note[at] === 'A' ? 'B' : 'A') + note.slice(at + 1)
}

/** Runs the installed `tillit witness` on a free port; gives its URL once it listens. */
export async function startInstalledWitness(
  node: string,
  { folder, state, vkey }: { folder: string; state: string; vkey: string },
): Promise<{ url: string; stop(): Promise<unknown> }> {
  const args = ['node_modules/.bin/tillit', 'witness', '--state', state, '--log', vkey, '--port', '0']
  const child = spawn(node, args, { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] })
  const left = once(child, 'exit')
  const said = await Promise.race([once(child.stdout, 'data'), left])
  const [, url] = /listens on (\S+) for/.exec(String(said[0])) ?? []
  if (url === undefined) throw new Error(`the witness does not run: ${said}`)
  return {
    url,
    stop: async () => {
      child.kill('SIGINT')
      const [status] = await left
      return status
    },
  }
}
