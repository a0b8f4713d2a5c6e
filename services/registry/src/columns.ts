/**
 * Columns of many rows as parameters of one statement. An array of texts costs more to escape here and to read there than all
 * else of an insert: what has no line feed in it travels as lines, what has a fixed length as one run of bytes.
 */

/** For `string_to_table(…, E'\n')`. JSON texts have no line feed in them, and neither have DIDs. */
export function asLines(texts: readonly string[]): string {
  return texts.join('\n')
}

/** For a cast to an array of numbers or booleans. */
export function asArray(values: readonly (number | boolean)[]): string {
  return `{${values.join(',')}}`
}

/** For `substring(… FROM length * n + 1 FOR length)`, where n counts from 0. */
export function asRun(values: readonly Uint8Array[]): Buffer {
  return Buffer.concat(values)
}
