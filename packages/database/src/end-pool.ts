import { Socket } from 'node:net'
import type pg from 'pg'

/** How long a server may take to say goodbye. */
const goodbyeMilliseconds = 2_000

/** The sockets of one pool. */
export interface PoolSockets {
  open(): Socket
  cut(): void
}

export function keepSockets(): PoolSockets {
  const open = new Set<Socket>()
  return {
    open: () => {
      const socket = new Socket()
      open.add(socket)
      socket.once('close', () => open.delete(socket))
      return socket
    },
    cut: () => {
      for (const socket of open) socket.destroy()
    },
  }
}

/** pg waits until the server has closed each connection, and a server that hangs never does. */
export function endInBoundedTime(pool: pg.Pool, sockets: PoolSockets): void {
  const end: () => Promise<void> = pool.end.bind(pool)
  Object.assign(pool, {
    end: async () => {
      const timer = setTimeout(sockets.cut, goodbyeMilliseconds)
      await end().finally(() => clearTimeout(timer))
    },
  })
}
