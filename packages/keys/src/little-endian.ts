/** The number that bytes are, least first (RFC 8032 section 5.1.2). Their count is a multiple of eight. */
export function littleEndian(bytes: Uint8Array): bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let number = 0n
  for (let at = bytes.byteLength - 8; at >= 0; at -= 8) number = (number << 64n) | view.getBigUint64(at, true)
  return number
}
