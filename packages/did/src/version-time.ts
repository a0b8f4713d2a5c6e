/** ISO 8601 in UTC, to the millisecond at most. */
const utcPattern = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,3})?(Z|\+00:00)$/

/** Milliseconds since 1970, or null when the text is not an ISO 8601 date and time in UTC that exists. */
export function parseUtc(text: unknown): number | null {
  if (typeof text !== 'string' || !utcPattern.test(text)) return null
  const date = new Date(text)
  // Date reads 30 February as 1 March; the day it read must be the one written. What else does not exist is no time to it.
  return date.getUTCDate() === Number(text.slice(8, 10)) ? date.getTime() : null
}
