import type { Ledger } from './ledger.ts'

export interface AnchorGas {
  readonly size: number
  readonly gasUsed: number
}

/**
 * Anchors heads of the given sizes, which must grow, and gives the gas that each took: what an interval costs, however many
 * operations it holds. The roots are made up, so only for a chain that anchors no real log.
 */
export async function measureAnchorGas(ledger: Ledger, sizes: readonly number[]): Promise<AnchorGas[]> {
  const measured: AnchorGas[] = []
  for (const size of sizes) {
    const { cost } = await ledger.anchor(rootFor(size), size)
    if (cost !== undefined) measured.push({ size, gasUsed: cost.gasUsed })
  }
  return measured
}

/** No zero bytes: they would be cheaper than those of a real root. */
function rootFor(size: number): Uint8Array {
  return Uint8Array.from({ length: 32 }, (_, i) => ((size * 31 + i * 7) % 255) + 1)
}
