import { callerOf, type TillitServer } from '@tillit/http'
import { SignedStatement } from '@tillit/schemas'
import { bindWalletKey } from './bind-wallet-key.ts'
import type { PermissionsContext as Context } from './ports.ts'
import { WalletKey, WalletKeyList, walletKeyView } from './wire.ts'

/** The keys of a customer's wallet. */
export function addWalletRoutes(app: TillitServer, context: Context): void {
  app.post(
    '/wallet/keys',
    {
      schema: {
        operationId: 'bind-wallet-key',
        summary: 'Binds a wallet key to the signed-in customer',
        tags: ['wallet'],
        body: SignedStatement,
        response: { 201: WalletKey },
      },
      config: { callers: ['customer'] },
    },
    async (request, reply) => {
      const by = { customerId: callerOf(request).id, statement: request.body.statement }
      return reply.code(201).send(walletKeyView(await bindWalletKey(by, context)))
    },
  )
  app.get(
    '/wallet/keys',
    {
      schema: {
        operationId: 'list-wallet-keys',
        summary: 'The wallet keys of the signed-in customer',
        tags: ['wallet'],
        response: { 200: WalletKeyList },
      },
      config: { callers: ['customer'] },
    },
    async (request) => ({ keys: (await context.store.listKeys(callerOf(request).id)).map(walletKeyView) }),
  )
}
