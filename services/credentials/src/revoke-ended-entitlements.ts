import { changeStatus } from './issue-credential.ts'
import type { Context } from './ports.ts'

/** Revoked in one transaction, which holds the rows of their status lists. */
const atOnce = 200

/**
 * Revokes what says that a customer is entitled to a metering point after the register says that they were, and are not any
 * more (a move-out): the utility is not told the ids of what wallets received. What was issued to a DID line by line is the
 * utility's own to revoke. Gives how many there were.
 */
export async function revokeEndedEntitlements(
  context: Pick<Context, 'store' | 'now' | 'publicUrl' | 'randomBytes' | 'authorityDid'>,
): Promise<number> {
  for (let revoked = 0; ; ) {
    const found = await context.store.write(async (writer) => {
      const ids = await writer.endedEntitlements(context.now(), atOnce)
      for (const id of ids) {
        const credential = await writer.credential(id)
        if (!credential) continue
        await changeStatus(writer, context, credential, { status: 'revoked', actor: context.authorityDid })
      }
      return ids.length
    })
    revoked += found
    if (found < atOnce) return revoked
  }
}
