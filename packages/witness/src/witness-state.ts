import { join } from 'node:path'
import { sha256, toHex, utf8 } from '@tillit/codec'
import { lockFolder } from './lock-folder.ts'
import { diskFiles, type StateFiles } from './state-files.ts'
import { damaged, formatRecord, originHash, parseRecord, type WitnessRecord } from './witness-record.ts'

/** Most refused checkpoints kept as evidence: enough to show that a log forks, too few to fill a disk with. */
const maxEvidenceFiles = 1_000

const partial = '.partial'

/** What a witness must not forget. Whoever holds it is the only one. */
export interface WitnessState {
  /** The record of a log; null when none was ever kept. Throws Problem witness-state-damaged. */
  latest(origin: string): Promise<WitnessRecord | null>
  /** When it returns, the record outlives a loss of power. When it throws, the old or the new one is kept. */
  save(record: WitnessRecord): Promise<void>
  /** Keeps the text once under the hash of `subject`. False when there is no room for more evidence. */
  keepEvidence(subject: string, text: string): Promise<boolean>
  close(): Promise<void>
}

/**
 * Opens a witness's folder, making it at first; it owns the folder `logs` (one record for each log) and the folder
 * `evidence`. Throws Problem already-running when another process has it, witness-state-damaged when a record cannot be read:
 * a witness that forgot what it cosigned would cosign a fork.
 */
export async function openWitnessState(folder: string, files: StateFiles = diskFiles): Promise<WitnessState> {
  const records = join(folder, 'logs')
  const evidence = join(folder, 'evidence')
  await files.makeFolder(records)
  await files.makeFolder(evidence)
  // Two that check and store by turns would cosign a fork.
  const lock = await lockFolder(folder, {
    name: 'witness',
    otherwise: `Another witness already runs on ${folder}`,
  })
  const fileOf = (origin: string) => join(records, originHash(origin))
  try {
    await checkRecords(records, files)
  } catch (error) {
    await lock.release()
    throw error
  }
  return {
    async latest(origin) {
      // Read each time: after a failed save only the disk knows which record it has.
      const text = await files.read(fileOf(origin))
      return text === null ? null : recordOf(text, fileOf(origin))
    },
    save: (record) => replaceFile(fileOf(record.checkpoint.origin), records, formatRecord(record), files),
    async keepEvidence(subject, text) {
      const name = `${toHex(sha256(utf8(subject)))}.txt`
      const kept = await files.list(evidence)
      if (kept.includes(name)) return true
      if (kept.length >= maxEvidenceFiles) return false
      await replaceFile(join(evidence, name), evidence, text, files)
      return true
    },
    close: () => lock.release(),
  }
}

async function checkRecords(folder: string, files: StateFiles): Promise<void> {
  for (const name of await files.list(folder)) {
    const file = join(folder, name)
    // A write that did not get to its rename; the record it was to replace still stands.
    if (name.endsWith(partial)) await files.remove(file)
    else recordOf((await files.read(file)) ?? '', file)
  }
}

function recordOf(text: string, file: string): WitnessRecord {
  const record = parseRecord(text, file)
  // A record under another log's name would let that log start over.
  if (!file.endsWith(originHash(record.checkpoint.origin))) throw damaged(file)
  return record
}

/** Written beside, flushed, renamed, the folder flushed: a crash anywhere leaves the old file or the new one. */
async function replaceFile(file: string, folder: string, text: string, files: StateFiles): Promise<void> {
  // A crash here leaves a partial file, which the next start removes.
  await files.writeFlushed(`${file}${partial}`, text)
  // From here on a crash of the process leaves the new file; one of the machine may leave either.
  await files.rename(`${file}${partial}`, file)
  await files.flushFolder(folder)
}
