import { fromUtf8, parseJson } from '@tillit/codec'
import type { CityAnswer, FetchCity } from './fetch-city.ts'
import type { FindingCode, Findings } from './finding.ts'

/** Reads parts of a city for an audit: what does not come, or is not what it should be, is a finding and null. */
export class CityReader {
  readonly #fetchCity: FetchCity
  readonly #findings: Findings

  constructor(fetchCity: FetchCity, findings: Findings) {
    this.#fetchCity = fetchCity
    this.#findings = findings
  }

  /**
   * The bytes at a path; null, and a finding with `missing` as its code, for any status but 200: a warning when the city may
   * do without it. `ifAbsent` is what the city says by having nothing there (404), which is then no finding.
   */
  async bytes(
    path: string,
    options: { maxBytes: number; missing: FindingCode; optional?: boolean; ifAbsent?: Uint8Array },
  ): Promise<Uint8Array | null> {
    let answer: CityAnswer
    try {
      answer = await this.#fetchCity(path, options)
    } catch (error) {
      this.#findings.error('unreachable', path, `No answer: ${error instanceof Error ? error.message : 'unknown'}`)
      return null
    }
    if (answer.status === 200) return answer.body
    if (answer.status === 404 && options.ifAbsent !== undefined) return options.ifAbsent
    const what = `The city answered ${answer.status}`
    if (options.optional) this.#findings.warning(options.missing, path, what)
    else this.#findings.error(options.missing, path, what)
    return null
  }

  /** As bytes, for text in UTF-8. */
  async text(
    path: string,
    options: {
      maxBytes: number
      missing: FindingCode
      malformed: FindingCode
      optional?: boolean
      ifAbsent?: Uint8Array
    },
  ): Promise<string | null> {
    return this.#understood(path, await this.bytes(path, options), { malformed: options.malformed, read: fromUtf8 })
  }

  /** As bytes, for JSON; `read` takes what it needs of it, and throws for anything else. */
  async json<Value>(
    path: string,
    options: {
      maxBytes: number
      missing: FindingCode
      malformed: FindingCode
      optional?: boolean
      read: (value: unknown) => Value
    },
  ): Promise<Value | null> {
    const body = await this.bytes(path, options)
    const { malformed } = options
    return this.#understood(path, body, { malformed, read: (bytes) => options.read(parseJson(fromUtf8(bytes))) })
  }

  #understood<Value>(
    path: string,
    body: Uint8Array | null,
    { malformed, read }: { malformed: FindingCode; read: (body: Uint8Array) => Value },
  ): Value | null {
    if (body === null) return null
    try {
      return read(body)
    } catch (error) {
      this.#findings.error(malformed, path, `It is malformed: ${error instanceof Error ? error.message : 'unknown'}`)
      return null
    }
  }
}
