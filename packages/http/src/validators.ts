import { Problem } from '@tillit/problem'
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js'
import type { FastifySchemaCompiler } from 'fastify'

const instant =
  /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/

const formats = {
  'date-time': (text: string) => instant.test(text) && !Number.isNaN(Date.parse(text)),
  uri: (text: string) => URL.canParse(text),
}

/** Bodies exactly as they are: nothing coerced, nothing stripped, nothing filled in. */
const exact = new Ajv2020({
  coerceTypes: false,
  removeAdditional: false,
  useDefaults: false,
  addUsedSchema: false,
  strict: false,
  formats,
})
/** Query, path and headers arrive as text, so numbers and booleans are read out of it. */
const coercing = new Ajv2020({
  coerceTypes: true,
  removeAdditional: false,
  useDefaults: true,
  addUsedSchema: false,
  strict: false,
  formats,
})

/** Fastify's validator compiler; a fault becomes Problem unknown-field or invalid-request with a JSON Pointer. */
export const validatorCompiler: FastifySchemaCompiler<object> = ({ schema, httpPart }) => {
  const validate = (httpPart === 'body' ? exact : coercing).compile(schema)
  return (value: unknown) => (validate(value) ? { value } : { error: problemOf(validate, httpPart ?? 'body') })
}

/** Checks a value against a schema outside of a route, exactly. Throws the same Problems. */
export function createChecker<T>(schema: object): (value: unknown) => T {
  const validate = exact.compile(schema)
  return (value) => {
    if (!validate(value)) throw problemOf(validate, 'body')
    return value as T
  }
}

function problemOf(validate: ValidateFunction, part: string): Problem {
  const [error] = validate.errors ?? []
  if (error === undefined) return new Problem('invalid-request')
  const where = part === 'body' ? '' : `${part}: `
  if (error.keyword === 'additionalProperties') {
    const name = String(error.params.additionalProperty).slice(0, 100)
    return new Problem('unknown-field', {
      detail: `${where}${JSON.stringify(name)} is not known here`,
      pointer: `${error.instancePath}/${escapePointer(name)}`,
    })
  }
  return new Problem('invalid-request', { detail: `${where}${words(error)}`, pointer: error.instancePath })
}

function words(error: ErrorObject): string {
  const at = error.instancePath === '' ? 'it' : error.instancePath
  return `${at} ${error.message ?? 'is not valid'}`
}

/** RFC 6901 section 3. */
function escapePointer(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1')
}
