import { callerOf, createTurns, type TillitServer } from '@tillit/http'
import { DelegationRegistration } from '@tillit/schemas'
import { listDelegations } from './list-delegations.ts'
import type { PermissionsContext as Context } from './ports.ts'
import { registerDelegation } from './register-delegation.ts'
import { revokeDelegation } from './revoke-delegation.ts'
import { Delegation, DelegationId, DelegationList, delegationView, PermissionId } from './wire.ts'

/** As with terminations: taking back waits for readers on a connection. */
const revocationLimits = { atOnce: 2, waiting: 32 }

/** Passing a permission on, and taking that back. */
export function addDelegationRoutes(app: TillitServer, context: Context): void {
  const takeTurn = createTurns(revocationLimits)
  app.post(
    '/delegations',
    {
      schema: {
        operationId: 'register-delegation',
        summary: 'Registers a delegation: the whole chain, root first',
        tags: ['delegations'],
        body: DelegationRegistration,
        response: { 201: Delegation },
      },
      config: { callers: ['organisation'] },
    },
    async (request, reply) => {
      const by = { callerDid: callerOf(request).id, chain: request.body.chain }
      const delegation = await registerDelegation(by, context)
      const revoked = await context.store.isRevoked(delegation.hop_digests)
      return reply.code(201).send(delegationView(delegation, revoked))
    },
  )
  app.get(
    '/permissions/:id/delegations',
    {
      schema: {
        operationId: 'list-delegations',
        summary: 'To whom a permission was passed on, as far as it concerns the caller',
        tags: ['delegations'],
        params: PermissionId,
        response: { 200: DelegationList },
      },
      config: { callers: ['customer', 'organisation'] },
    },
    async (request) => ({
      delegations: await listDelegations(request.params.id, { ...context, caller: callerOf(request) }),
    }),
  )
  app.post(
    '/delegations/:jti/revocation',
    {
      schema: {
        operationId: 'revoke-delegation',
        summary: 'The delegator takes a delegation back, and all that rests on it',
        tags: ['delegations'],
        params: DelegationId,
        response: { 200: Delegation },
      },
      config: { callers: ['organisation'] },
    },
    async (request) => {
      const by = { jti: request.params.jti, delegatorDid: callerOf(request).id }
      return delegationView(await takeTurn(by.delegatorDid, () => revokeDelegation(by, context)), true)
    },
  )
}
