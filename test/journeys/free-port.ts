import { createServer } from 'node:net'

/** A port that was free a moment ago: a city's URL must be known before it listens. */
export async function freePort(): Promise<number> {
  const listener = createServer()
  await new Promise<void>((listening) => listener.listen(0, '127.0.0.1', listening))
  const address = listener.address()
  await new Promise((closed) => listener.close(closed))
  if (address === null || typeof address === 'string') throw new Error('no port was given')
  return address.port
}
