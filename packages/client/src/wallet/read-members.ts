import type { Json } from '@tillit/codec'
import type { Problem } from '@tillit/problem'

export type JsonObject = { readonly [name: string]: Json }

/** Reads members of a JSON object from outside; what is missing or of another kind is the problem that `malformed` makes. */
export interface Members {
  readonly object: JsonObject
  text(name: string): string
  optionalText(name: string): string | null
  optionalNumber(name: string): number | null
  optionalFlag(name: string): boolean | null
  optionalObject(name: string): JsonObject | null
  /** An array that is not empty, or null when there is none. */
  optionalList(name: string): readonly Json[] | null
  optionalTexts(name: string): readonly string[] | null
}

export function readMembers(value: Json | undefined, malformed: (detail: string) => Problem): Members {
  if (!isObject(value)) throw malformed('An object is expected')
  const object: JsonObject = value
  const optional = <T extends Json>(name: string, is: (member: Json) => member is T, kind: string): T | null => {
    const member = Object.hasOwn(object, name) ? object[name] : undefined
    if (member === undefined || member === null) return null
    if (!is(member)) throw malformed(`The member ${name} is not ${kind}`)
    return member
  }
  return {
    object,
    text(name) {
      const text = optional(name, isText, 'text')
      if (text === null || text === '') throw malformed(`The member ${name} is missing`)
      return text
    },
    optionalText: (name) => optional(name, isText, 'text'),
    optionalNumber: (name) => optional(name, (member) => typeof member === 'number', 'a number'),
    optionalFlag: (name) => optional(name, (member) => typeof member === 'boolean', 'true or false'),
    optionalObject: (name) => optional(name, isObject, 'an object'),
    optionalList: (name) => optional(name, isList, 'a list with something in it'),
    optionalTexts: (name) => optional(name, isTexts, 'a list of texts'),
  }
}

export function isObject(value: Json | undefined): value is { [name: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isText(value: Json): value is string {
  return typeof value === 'string'
}

function isList(value: Json): value is Json[] {
  return Array.isArray(value) && value.length > 0
}

function isTexts(value: Json): value is string[] {
  return isList(value) && value.every(isText)
}
