import { type Decision, decide, type ReadRequest } from '@tillit/policy'
import type { PointRow } from './access-store.ts'
import type { AccessWorld, Subject } from './access-world.ts'
import type { AskedContext } from './asked-context.ts'

/** In the order of their names. */
export const actions = ['read', 'stream', 'write'] as const satisfies ReadRequest['action'][]

export interface Question {
  subject: Subject
  action: string
  /** Undefined: of a metering point that does not exist. */
  point: PointRow | undefined
  context: AskedContext
}

/** Decided by the function that decides the reads themselves. What is not known is denied. */
export function decideAccess({ subject, action, point, context }: Question, world: AccessWorld, now: Date): Decision {
  const known = actions.find((name) => name === action)
  const asked: ReadRequest = {
    caller: subject.id,
    action: known ?? 'read',
    resource: `gsrn:${point?.gsrn ?? ''}`,
    datatype: 'validated_history',
    ...context,
    // As the metering service releases it: there are no recipient-specific ids yet.
    forms: ['identified'],
  }
  return decide(asked, point && known ? world.paths(point, subject) : [], now)
}
