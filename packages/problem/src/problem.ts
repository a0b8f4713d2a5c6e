import type { ProblemDocument } from '@tillit/schemas'
import { type ProblemCode, problemCodes } from './codes.ts'

/** Where problem types are described; the code is appended (RFC 9457 section 3.1.1). */
export const problemTypeBase = 'https://tillit.example/problems/'

export interface ProblemOptions {
  /** What is wrong, in words for the caller. Never holds personal data or a secret. */
  detail?: string
  /** Where it is wrong: a JSON Pointer into the body, or the name of a parameter or header. */
  pointer?: string
  /** Further members of the problem document. */
  extra?: Record<string, unknown>
  cause?: unknown
}

/** An expected failure. Programmer errors are plain Errors and crash. */
export class Problem extends Error {
  readonly code: ProblemCode
  readonly pointer: string | undefined
  readonly extra: Record<string, unknown>

  constructor(code: ProblemCode, options: ProblemOptions = {}) {
    super(options.detail ?? problemCodes[code].title, options.cause === undefined ? {} : { cause: options.cause })
    this.name = 'Problem'
    this.code = code
    this.pointer = options.pointer
    this.extra = options.extra ?? {}
  }

  get status(): number {
    return problemCodes[this.code].status
  }
}

/** The problem as its RFC 9457 document. */
export function toProblemDocument(problem: Problem, requestId?: string): ProblemDocument {
  return {
    ...problem.extra,
    type: problemTypeBase + problem.code,
    title: problemCodes[problem.code].title,
    status: problem.status,
    code: problem.code,
    detail: problem.message,
    ...(problem.pointer === undefined ? {} : { pointer: problem.pointer }),
    ...(requestId === undefined ? {} : { request_id: requestId }),
  }
}

/**
 * Whether an error says nothing about what was sent: nobody expected it, or it passes. What is not supported here (501) is no
 * such fault, because no second try would help.
 */
export function isFault(error: unknown): boolean {
  if (!(error instanceof Problem)) return true
  return error.code === 'too-many-requests' || (error.status >= 500 && error.status !== 501)
}

export function isProblem(error: unknown, code?: ProblemCode): error is Problem {
  return error instanceof Problem && (code === undefined || error.code === code)
}
