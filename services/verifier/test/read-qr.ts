import jsQR from 'jsqr'

const decode = 'default' in jsQR ? jsQR.default : jsQR

/** Reads a QR code out of its SVG: one square for each dark module. */
export function readQr(svg: string): string | null {
  const [, side = '0'] = /viewBox="0 0 (\d+) \d+"/.exec(svg) ?? []
  const size = Number(side)
  const pixels = new Uint8ClampedArray(size * size * 4).fill(255)
  for (const [, left, top, width] of svg.matchAll(/M(\d+),(\d+)h(\d+)v\d+h-\d+z/g)) {
    for (let y = Number(top); y < Number(top) + Number(width); y++)
      for (let x = Number(left); x < Number(left) + Number(width); x++)
        pixels.fill(0, (y * size + x) * 4, (y * size + x) * 4 + 3)
  }
  return decode(pixels, size, size)?.data ?? null
}
