import { Problem } from '@tillit/problem'
import type { BatchClaims } from '@tillit/schemas'

/** A unit as files name it: what it measures, the UCUM unit stored, and the power of ten between the two. */
export interface FileUnit {
  readonly product: BatchClaims['product']
  readonly unit: string
  readonly power: number
}

const baseUnits: Record<string, Omit<FileUnit, 'power'>> = {
  wh: { product: 'active_energy', unit: 'W.h' },
  varh: { product: 'reactive_energy', unit: 'var.h' },
  w: { product: 'active_power', unit: 'W' },
  v: { product: 'voltage', unit: 'V' },
  a: { product: 'current', unit: 'A' },
}

/** The unit in which a product is stored and served. */
export function unitOf(product: BatchClaims['product']): string {
  const found = Object.values(baseUnits).find((base) => base.product === product)
  return found?.unit ?? ''
}

/** Reads Wh, kWh, MWh, varh, W, V, A and their UCUM spellings (kW.h). Throws Problem invalid-file. */
export function parseFileUnit(text: string): FileUnit {
  const match = /^([kM]?)(Wh|W\.h|varh|VArh|var\.h|W|V|A)$/.exec(text)
  const base = baseUnits[(match?.[2] ?? '').replace('.', '').toLowerCase()]
  if (!match || !base)
    throw new Problem('invalid-file', { detail: 'The unit is not known: use Wh, kWh, MWh, varh, W, V or A' })
  return { ...base, power: { '': 0, k: 3, M: 6 }[match[1] ?? ''] ?? 0 }
}
