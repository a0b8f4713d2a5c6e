import { createChecker } from '@tillit/http'
import { Problem } from '@tillit/problem'
import {
  EvaluationRequest,
  type EvaluationResponse,
  type EvaluationsRequest,
  type EvaluationsResponse,
} from '@tillit/schemas'
import { type AccessContext, loadWorld } from './access-world.ts'
import { answerEvaluation, evaluateAccess } from './evaluate-access.ts'

type Semantic = NonNullable<NonNullable<EvaluationsRequest['options']>['evaluations_semantic']>

/** Section 7.1.2.1: the decision that ends the evaluations; null: none does. */
const endsAt: Record<Semantic, boolean | null> = {
  execute_all: null,
  deny_on_first_deny: false,
  permit_on_first_permit: true,
}

const checkEvaluation = createChecker<EvaluationRequest>(EvaluationRequest)

/**
 * OpenID AuthZEN Authorization API 1.0, section 7: several questions, answered in their order from one snapshot, each as it would be
 * by itself. A question that is wrong or not the caller's to ask is denied with its error in the context (section 7.2.1). Without
 * `evaluations` it is the single evaluation (section 7.1), and throws what that throws.
 */
export async function evaluateAccesses(
  request: EvaluationsRequest,
  context: AccessContext,
): Promise<EvaluationsResponse> {
  const { evaluations = [], options } = request
  if (evaluations.length === 0) return evaluateAccess(checkEvaluation(request), context)
  const asker = { caller: context.caller, now: context.ports.now() }
  const questions = evaluations.map((one) => attempt(() => checkEvaluation(withDefaults(one, request))))
  const readable = questions.flatMap((question) => (question instanceof Problem ? [] : [question]))
  const world = await loadWorld(
    { subjects: readable.map(({ subject }) => subject), resources: readable.map(({ resource }) => resource) },
    context,
  )
  const end = endsAt[options?.evaluations_semantic ?? 'execute_all']
  const answers: EvaluationResponse[] = []
  for (const question of questions) {
    const answer = question instanceof Problem ? question : attempt(() => answerEvaluation(question, world, asker))
    answers.push(answer instanceof Problem ? denial(answer) : answer)
    if (answers.at(-1)?.decision === end) break
  }
  return { evaluations: answers }
}

/** Section 7.1.1: a member of its own takes the place of the default, which still gives the `type`, `id` or `name` that it lacks. */
function withDefaults(
  one: Record<string, unknown>,
  { subject, action, resource, context }: EvaluationsRequest,
): Record<string, unknown> {
  const merged = { ...one }
  for (const [name, fallback] of Object.entries({ subject, action, resource })) {
    if (fallback === undefined) continue
    const own = merged[name]
    if (own === undefined) merged[name] = fallback
    else if (isObject(own)) {
      const { properties: _, ...identifiers } = fallback
      merged[name] = { ...identifiers, ...own }
    }
  }
  return merged.context === undefined && context !== undefined ? { ...merged, context } : merged
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The problem that the work ends in, as its value. */
function attempt<Value>(work: () => Value): Value | Problem {
  try {
    return work()
  } catch (error) {
    if (error instanceof Problem) return error
    throw error
  }
}

function denial({ status, code, message }: Problem): EvaluationResponse {
  return { decision: false, context: { error: { status, code, message } } }
}
