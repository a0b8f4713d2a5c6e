import type { BatchClaims, Quality } from '@tillit/schemas'

/** UnitSymbolKind (NAESB ESPI 4.0) of what is taken in. */
export const unitOfUom: Record<string, { product: BatchClaims['product']; unit: string }> = {
  '5': { product: 'current', unit: 'A' },
  '29': { product: 'voltage', unit: 'V' },
  '38': { product: 'active_power', unit: 'W' },
  '72': { product: 'active_energy', unit: 'W.h' },
  '73': { product: 'reactive_energy', unit: 'var.h' },
}

/** FlowDirectionKind: forward, reverse; 0 (not applicable) and an absent one are the usual, forward. Net flows have no direction. */
export const directionOfFlow: Record<string, BatchClaims['direction']> = {
  '': 'consumption',
  '0': 'consumption',
  '1': 'consumption',
  '19': 'production',
}

/** AccumulationKind of registers that count up: their values are no amounts of the interval. */
export const cumulativeKinds: readonly string[] = ['1', '2', '3']

/** QualityOfReading. Codes that are not known count as estimated: never better than what was said. */
export function qualityOfCode(code: string): Quality {
  if (['0', '14', '17', '18', '19'].includes(code)) return 'measured'
  if (['7', '11', '15'].includes(code)) return 'adjusted'
  return 'estimated'
}
