import { resolve } from 'node:path'
import { type FolderLock, lockFolder } from '@tillit/witness'

/** One city at a time on a data folder, which must exist. Throws Problem already-running in words for the operator. */
export function lockCity(dataDir: string): Promise<FolderLock> {
  return lockFolder(dataDir, {
    name: 'city',
    otherwise: `Another city already runs on ${resolve(dataDir)}. Stop it first, or give DATA_DIR and PORT another value.`,
  })
}
