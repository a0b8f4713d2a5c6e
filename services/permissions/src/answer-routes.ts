import { callerOf, type TillitServer } from '@tillit/http'
import { Acknowledgement, SignedStatement } from '@tillit/schemas'
import { acceptPermission } from './accept-permission.ts'
import { acknowledge } from './acknowledge.ts'
import type { PermissionsContext as Context } from './ports.ts'
import { rejectPermission } from './reject-permission.ts'
import { revokePermission } from './revoke-permission.ts'
import { PermissionId } from './wire.ts'

/** What a customer does with a request or permission: each answer is a statement that they signed. */
export function addAnswerRoutes(app: TillitServer, context: Context): void {
  const answers = [
    ['acceptance', 'accept-permission', 'The customer accepts what was asked, or less', acceptPermission],
    ['rejection', 'reject-permission', 'The customer says no', rejectPermission],
    ['revocation', 'revoke-permission', 'The customer withdraws; enforced when this answers', revokePermission],
  ] as const
  for (const [noun, operationId, summary, answer] of answers) {
    app.post(
      `/permissions/:id/${noun}`,
      {
        schema: {
          operationId,
          summary,
          tags: ['permissions'],
          params: PermissionId,
          body: SignedStatement,
          response: { 200: Acknowledgement },
        },
        config: { callers: ['customer'] },
      },
      async (request) => {
        const { statement } = request.body
        const by = { permissionId: request.params.id, customerId: callerOf(request).id, statement }
        return acknowledge(await answer(by, context), statement, context)
      },
    )
  }
}
