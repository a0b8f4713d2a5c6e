export {
  type AggregateOptions,
  aggregate,
  methodOf,
  type SeriesReading,
  type WindowValue,
  worseQuality,
} from './aggregate.ts'
export { detectFormat, detectFormatBytes } from './detect-format.ts'
export { type FileUnit, parseFileUnit, unitOf } from './file-units.ts'
export { type Gsrn, gsrnCheckDigit, parseGsrn } from './gsrn.ts'
export { fromMilli, toMilli } from './milli.ts'
export { type CsvOptions, parseCsv } from './parse-csv.ts'
export { parseEspi } from './parse-espi.ts'
export { fromWireReading, type ParsedReading, type ReadingStream, toWireReading } from './parsed-reading.ts'
export { checkTimeZone, localDayBounds } from './time-zone.ts'
export { batchDigest, batchType, peekBatchIssuer, type VerifiedBatch, verifyBatch } from './verify-batch.ts'
export { checkGranularity, type Interval, nominalSeconds, type WindowOptions, windows } from './windows.ts'
