import type { Caller } from '@tillit/http'
import type { Decision } from '@tillit/policy'
import type { EvaluationRequest, EvaluationResponse } from '@tillit/schemas'
import { type AccessContext, type AccessWorld, loadWorld } from './access-world.ts'
import { readContext } from './asked-context.ts'
import { decideAccess } from './decide-access.ts'
import { isItself, isUtilityOf, mayNotAsk } from './may-ask.ts'

/**
 * OpenID AuthZEN Authorization API 1.0, section 6: would this read be allowed? An organisation or a customer may ask about itself,
 * the utility of a metering point about anyone. Decided from one snapshot of the database by the function that decides the reads
 * themselves. Throws Problem access-denied when the caller may not ask, invalid-request on a context that is not readable.
 */
export async function evaluateAccess(request: EvaluationRequest, context: AccessContext): Promise<EvaluationResponse> {
  const { subject, resource } = request
  const world = await loadWorld({ subjects: [subject], resources: [resource] }, context)
  return answerEvaluation(request, world, { caller: context.caller, now: context.ports.now() })
}

/** One answer from what was loaded. Throws the Problems of evaluateAccess. */
export function answerEvaluation(
  { subject, action, resource, context }: EvaluationRequest,
  world: AccessWorld,
  { caller, now }: { caller: Caller; now: Date },
): EvaluationResponse {
  const point = world.point(resource)
  if (!isItself(caller, subject) && !isUtilityOf(caller, point, world.party(caller.id))) throw mayNotAsk()
  const question = { subject, action: action.name, point, context: readContext(context, now) }
  return respond(decideAccess(question, world, now))
}

function respond(decision: Decision): EvaluationResponse {
  const { obligations } = decision
  return {
    decision: decision.decision === 'permit',
    context: {
      reason_code: decision.reasonCode,
      reason_admin: { en: decision.reason.operator },
      reason_user: { en: decision.reason.customer },
      determined_by: decision.determinedBy,
      ...(obligations === null
        ? {}
        : {
            authority: decision.authority,
            obligations: {
              granularity: obligations.downsampleTo,
              subject_form: obligations.subjectForm,
              delete_after: obligations.deleteAfter,
              duties: obligations.duties,
            },
          }),
    },
  }
}
