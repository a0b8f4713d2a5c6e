/** One measured figure beside what it is held against. */
export interface Figure {
  bench: string
  figure: string
  value: number
  unit: string
  /** A peer, a bare route or a physical limit, measured in the same run in the same unit. */
  reference: { what: string; value: number }
  /** value / reference. */
  ratio: number
  /** What the ratio has to be, for example `>= 0.8`; null: printed for comparison only. */
  target: string | null
  met: boolean | null
  /** How the figure runs over what it depends on. */
  curve?: Curve
}

export interface Curve {
  over: string
  unit: string
  points: { at: number; value: number }[]
}

export interface Target {
  least?: number
  most?: number
}

export function figure(
  { bench, figure: name, value, unit, reference }: Pick<Figure, 'bench' | 'figure' | 'value' | 'unit' | 'reference'>,
  { least, most }: Target = {},
): Figure {
  const about = { bench, figure: name, value, unit, reference }
  const ratio = value / reference.value
  if (!Number.isFinite(ratio) || ratio <= 0) throw new Error(`${name}: nothing was measured`)
  if (least !== undefined) return { ...about, ratio, target: `>= ${least}`, met: ratio >= least }
  if (most !== undefined) return { ...about, ratio, target: `<= ${most}`, met: ratio <= most }
  return { ...about, ratio, target: null, met: null }
}

/** A figure that is held against a number that was asked for, in place of something measured beside it. */
export function figureWithin(
  { unit, ...about }: Pick<Figure, 'bench' | 'figure' | 'value' | 'unit'>,
  { least, most }: Target,
): Figure {
  const bound = least ?? most
  if (bound === undefined) throw new Error(`${about.figure}: no bound was given`)
  const reference = { what: `asked for: at ${least === undefined ? 'most' : 'least'}`, value: bound }
  return figure({ ...about, unit, reference }, least === undefined ? { most: 1 } : { least: 1 })
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5)
}

/** The value at a share of the sorted values, between two of them where it falls between. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  const place = (sorted.length - 1) * share
  const [low, high] = [sorted[Math.floor(place)], sorted[Math.ceil(place)]]
  if (low === undefined || high === undefined) throw new Error('no values were measured')
  return low + (high - low) * (place - Math.floor(place))
}

/** For people: what was measured, what it is held against, and how it came out. */
export function describeFigure({ figure: name, value, unit, reference, ratio, target, met, curve }: Figure): string {
  const verdict = target === null ? 'no target' : `target ${target}: ${met ? 'met' : 'MISSED'}`
  return [
    `  ${name}`,
    `    ${amount(value, unit)}`,
    `    reference  ${amount(reference.value, unit)}  ${reference.what}`,
    `    ratio      ${rounded(ratio)}  ${verdict}`,
    ...(curve === undefined ? [] : describeCurve(curve)),
  ].join('\n')
}

/** Bars on a logarithmic scale, as the values may lie orders of magnitude apart: the least is one long, ten times as much `decade` more. */
function describeCurve({ over, unit, points }: Curve): string[] {
  const decade = 8
  const least = Math.min(...points.map(({ value }) => value))
  const widths = points.map(({ at }) => at.toLocaleString('en').length)
  return [
    `    ${unit} over ${over} (bars: logarithmic)`,
    ...points.map(({ at, value }) => {
      const bar = '█'.repeat(1 + Math.round(decade * Math.log10(value / least)))
      return `    ${at.toLocaleString('en').padStart(Math.max(...widths))}  ${bar} ${rounded(value)}`
    }),
  ]
}

function amount(value: number, unit: string): string {
  const each = unit.endsWith('/s') ? `  (${rounded(1e6 / value)} µs each)` : ''
  return `${rounded(value)} ${unit}${each}`
}

function rounded(value: number): string {
  return Number(value.toPrecision(3)).toLocaleString('en')
}
