/** A media range of an Accept header (RFC 9110 section 12.5.1). */
interface MediaRange {
  readonly type: string
  readonly quality: number
}

/**
 * The one of `offers` that the header prefers: the highest quality by the most specific range that fits, and of equals the one
 * offered first. null when none is acceptable. Without a header everything is.
 */
export function negotiate<Offer extends string>(header: string | undefined, offers: readonly Offer[]): Offer | null {
  const ranges = header === undefined || header.trim() === '' ? [anything] : header.split(',').map(parseRange)
  let best: { offer: Offer; quality: number } | null = null
  for (const offer of offers) {
    const quality = qualityOf(offer, ranges)
    if (quality > 0 && (best === null || quality > best.quality)) best = { offer, quality }
  }
  return best?.offer ?? null
}

/** Whether the header names the type itself, not only by a wildcard. */
export function namesType(header: string | undefined, type: string): boolean {
  return (header ?? '').split(',').some((range) => parseRange(range).type === type)
}

const anything: MediaRange = { type: '*/*', quality: 1 }

function qualityOf(offer: string, ranges: readonly MediaRange[]): number {
  const [group] = offer.split('/')
  for (const range of [offer, `${group}/*`, '*/*']) {
    const fitting = ranges.filter(({ type }) => type === range)
    if (fitting.length > 0) return Math.max(...fitting.map(({ quality }) => quality))
  }
  return 0
}

/** Parameters other than `q` are passed over: none of our types has any. */
function parseRange(text: string): MediaRange {
  const [type = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase())
  const weight = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2)
  if (weight === undefined) return { type, quality: 1 }
  return { type, quality: /^(0(\.\d{0,3})?|1(\.0{0,3})?)$/.test(weight) ? Number(weight) : 0 }
}
