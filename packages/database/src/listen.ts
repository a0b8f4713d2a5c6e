import { Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import { connectTimeoutMilliseconds } from './connect.ts'

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
  let socket: Socket | null = null

  async function connect(): Promise<void> {
    const opened = new Socket()
    const next = new pg.Client({
      connectionString: url,
      application_name: 'tillit-listen',
      connectionTimeoutMillis: connectTimeoutMilliseconds,
      query_timeout: connectTimeoutMilliseconds,
      stream: () => opened,
    })
    const ended = new Promise<void>((done) => next.once('end', done))
    next.on('error', () => undefined) // 'end' follows
    next.on('notification', onNotify)
    try {
      await next.connect()
      await next.query(`LISTEN ${pg.escapeIdentifier(channel)}`)
    } catch (error) {
      opened.destroy() // one that hangs would come to listen some day, unheard
      throw error
    }
    socket = opened
    if (closing.signal.aborted) opened.destroy()
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
      // Without goodbye: a server that hangs would never answer it.
      socket?.destroy()
    },
  }
}
