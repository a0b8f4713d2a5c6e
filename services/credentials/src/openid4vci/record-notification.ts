import type { Caller } from '@tillit/http'
import { Problem } from '@tillit/problem'
import type { NotificationRequest } from '@tillit/schemas'
import type { Context } from '../ports.ts'
import { digestOf } from './told-secret.ts'

/**
 * OpenID4VCI 1.0 section 11: a wallet tells what became of the credentials. The same again changes nothing. Throws Problem
 * invalid-notification-id, also for the id of another holder.
 */
export async function recordNotification(
  { store, now }: Context,
  caller: Caller,
  { notification_id: notificationId, event }: NotificationRequest,
): Promise<void> {
  const sha256 = digestOf(notificationId)
  await store.write(async (writer) => {
    const notification = await writer.notification(sha256)
    if (notification?.holder !== caller.id) throw new Problem('invalid-notification-id')
    await writer.addNotificationEvent({ sha256, event, at: now() })
  })
}
