import pg from 'pg'

/** What pg says when an answer took longer than `query_timeout`. */
export const silentServerMessage = 'Query read timeout'

/**
 * Cuts a connection whose server did not answer in time. pg itself only stops waiting: the connection would go back to its
 * pool, and the next statement would queue up behind the one that hangs. Whether that one took effect stays open, as with any
 * connection that is lost.
 */
export function leaveSilentServer(client: pg.PoolClient): void {
  const query: (...args: unknown[]) => unknown = client.query.bind(client)
  const leave = (error: unknown) => {
    if (!(error instanceof Error && error.message === silentServerMessage)) return
    // Marked as ending at once, so that the pool gives it to nobody.
    if (client instanceof pg.Client) client.end().catch(() => undefined)
  }
  Object.assign(client, {
    query: (...args: unknown[]) => {
      const answer = query(...args)
      if (answer instanceof Promise) answer.catch(leave)
      return answer
    },
  })
}
