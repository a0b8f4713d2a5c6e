import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'

const reconnectMilliseconds = 1_000

export interface Listener {
  close(): Promise<void>
}

/**
 * Calls `onNotify` for each notification on a channel, on a connection of its own that is opened again when it is lost.
 * Notifications sent meanwhile are lost too, so a listener is a hint to look and never the only reason to.
 */
export async function listen(url: string, channel: string, onNotify: () => void): Promise<Listener> {
  const closing = new AbortController()
  let client: pg.Client | null = null

  async function connect(): Promise<void> {
    const next = new pg.Client({ connectionString: url, application_name: 'tillit-listen' })
    const ended = new Promise<void>((done) => next.once('end', done))
    next.on('error', () => undefined) // 'end' follows
    next.on('notification', onNotify)
    await next.connect()
    await next.query(`LISTEN ${pg.escapeIdentifier(channel)}`)
    client = next
    void ended.then(reconnect)
  }

  async function reconnect(): Promise<void> {
    while (!closing.signal.aborted) {
      const connected = await connect().then(
        () => true,
        () => false,
      )
      if (connected) return onNotify()
      await delay(reconnectMilliseconds, undefined, { signal: closing.signal }).catch(() => undefined)
    }
  }

  await connect()
  return {
    close: async () => {
      closing.abort()
      await client?.end()
    },
  }
}
