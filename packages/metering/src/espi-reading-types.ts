import { Problem } from '@tillit/problem'
import type { BatchClaims } from '@tillit/schemas'
import { cumulativeKinds, directionOfFlow, unitOfUom } from './espi-codes.ts'

/** How the values of a MeterReading are to be understood. */
export interface EspiReadingType {
  readonly product: BatchClaims['product']
  readonly direction: BatchClaims['direction']
  readonly unit: string
  readonly power: number
  readonly intervalSeconds: number | undefined
}

/** The links of one Atom entry. */
export interface EntryLinks {
  self: string | undefined
  up: string | undefined
  related: string[]
}

/** Most entries whose links are remembered: one feed describes few series, however long they are. */
const maxRemembered = 10_000

/**
 * Remembers which ReadingType a series has. Feeds say it through links (IntervalBlock up to MeterReading, related to
 * ReadingType); feeds of one series often leave the links out, so a single ReadingType serves all.
 */
export class ReadingTypes {
  readonly #types = new Map<string, Record<string, string>>()
  readonly #relatedOf = new Map<string, string[]>()

  /** Takes note of an entry that is closed: its links, and its ReadingType if it held one. */
  remember(links: EntryLinks, type: Record<string, string> | undefined): void {
    if (this.#types.size + this.#relatedOf.size >= maxRemembered)
      throw new Problem('invalid-file', { detail: `The feed has over ${maxRemembered} entries with links` })
    if (type) this.#types.set(links.self ?? `#${this.#types.size}`, type)
    else if (links.self !== undefined) this.#relatedOf.set(links.self, links.related)
  }

  /** Throws Problem invalid-file when the type is missing, not clear, or not one whose values are amounts per interval. */
  ofBlock(links: EntryLinks, line: number): EspiReadingType {
    const meterReading = (links.up ?? '').replace(/\/IntervalBlock\/?$/, '')
    const named = [meterReading, ...links.related]
    const candidates = [...named, ...named.flatMap((href) => this.#relatedOf.get(href) ?? [])]
    const found = candidates.map((href) => this.#types.get(href)).find((type) => type !== undefined)
    const type = found ?? (this.#types.size === 1 ? [...this.#types.values()][0] : undefined)
    if (!type) throw refused(line, 'No ReadingType above says what these values are')
    return understand(type, line)
  }
}

function understand(type: Record<string, string>, line: number): EspiReadingType {
  const unit = lookup(unitOfUom, type.uom ?? '')
  if (!unit) throw refused(line, `The unit (uom ${type.uom ?? 'missing'}) is not one that is kept here`)
  const direction = lookup(directionOfFlow, type.flowDirection ?? '')
  if (!direction) throw refused(line, `The flow direction ${type.flowDirection} is neither forward nor reverse`)
  if (cumulativeKinds.includes(type.accumulationBehaviour ?? ''))
    throw refused(line, 'The values are readings of a register, not amounts of an interval')
  const power = Number(type.powerOfTenMultiplier || '0')
  if (!Number.isInteger(power) || Math.abs(power) > 12)
    throw refused(line, 'powerOfTenMultiplier is not a power of ten')
  const intervalSeconds = /^[1-9]\d{0,7}$/.test(type.intervalLength ?? '') ? Number(type.intervalLength) : undefined
  return { ...unit, direction, power, intervalSeconds }
}

function lookup<Value>(table: Record<string, Value>, key: string): Value | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined
}

function refused(line: number, detail: string): Problem {
  return new Problem('invalid-file', { detail: `Line ${line}: ${detail}`, pointer: `line:${line}` })
}
