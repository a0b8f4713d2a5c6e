import { callerOf, type TillitServer } from '@tillit/http'
import { EvaluationRequest, EvaluationResponse } from '@tillit/schemas'
import { evaluateAccess } from './evaluate-access.ts'
import type { PermissionsContext as Context } from './ports.ts'

/** The decision point (OpenID AuthZEN 1.0). Unknown members are ignored, as that specification says. */
export function addAccessRoutes(app: TillitServer, context: Context): void {
  app.post(
    '/access/v1/evaluation',
    {
      schema: {
        operationId: 'evaluate-access',
        summary: 'OpenID AuthZEN: would this read be allowed?',
        tags: ['access'],
        body: EvaluationRequest,
        response: { 200: EvaluationResponse },
      },
      config: { callers: ['customer', 'organisation'] },
    },
    (request) => evaluateAccess(request.body, { ...context, caller: callerOf(request) }),
  )
}
