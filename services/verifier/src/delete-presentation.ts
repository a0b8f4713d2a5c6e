import { Problem } from '@tillit/problem'
import type { Context } from './ports.ts'

/** Ends it and deletes what was disclosed. Throws Problem not-found. */
export async function deletePresentation({ store }: Context, askedBy: string, id: string): Promise<void> {
  if (!(await store.delete(id, askedBy))) throw new Problem('not-found', { detail: 'No such presentation' })
}
