import type { Static, TSchema } from 'typebox'
import { Check } from 'typebox/value'

/** A check of values against a schema for browsers, where a content security policy forbids to compile. */
export function checkerOf<Type extends TSchema>(schema: Type): (value: unknown) => value is Static<Type> {
  return (value): value is Static<Type> => Check(schema, value)
}
