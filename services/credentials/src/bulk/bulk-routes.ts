import { callerOf, type TillitServer } from '@tillit/http'
import { CredentialBatch, CredentialBatchResult, maxBatchLines } from '@tillit/schemas'
import type { Context } from '../ports.ts'
import { issueLines } from './issue-lines.ts'

/** Issuing by the hundred, for organisations with many customers. */
export function bulkRoutes(app: TillitServer, context: Context): void {
  app.post(
    '/credentials/batches',
    {
      schema: {
        operationId: 'issue-lines',
        summary: `A utility issues up to ${maxBatchLines} credentials; sent again, the same lines issue nothing twice`,
        tags: ['credentials'],
        body: CredentialBatch,
        response: { 200: CredentialBatchResult },
      },
      config: { callers: ['organisation'] },
    },
    async (request) => issueLines(context, callerOf(request).id, request.body),
  )
}
