/** What pages of other origins may see beside the body. */
const exposed = 'accept-ranges, content-range, etag, link, location, tillit-witnessing'

interface Headers {
  headers(values: Record<string, string>): unknown
}

/** An onRequest hook for what is public anyway: any browser may read it, so that anyone can verify it there. */
export async function forEveryone(_request: unknown, reply: Headers): Promise<void> {
  reply.headers({ 'access-control-allow-origin': '*', 'access-control-expose-headers': exposed })
}
