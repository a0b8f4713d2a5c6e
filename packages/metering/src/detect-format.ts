/** First bytes that decide; more are not looked at. */
export const detectFormatBytes = 1024

/** What a file is, from its first bytes; undefined when it is neither. The parsers still check everything. */
export function detectFormat(firstBytes: Uint8Array): 'espi' | 'csv' | undefined {
  const text = new TextDecoder()
    .decode(firstBytes.subarray(0, detectFormatBytes))
    .replace(/^\uFEFF/, '')
    .trimStart()
  if (text.startsWith('<')) return 'espi'
  const [firstLine = ''] = text.split('\n')
  return /^[\x20-\x7e\t\u00a0-\uffff]*[,;\t]/.test(firstLine) && !firstLine.includes('\0') ? 'csv' : undefined
}
