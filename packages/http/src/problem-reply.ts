import { isProblem, Problem, toProblemDocument } from '@tillit/problem'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'

/** Seconds after which a client may try again when the city is short of something for a moment. */
const retryAfterSeconds = 2

/** Makes any error a Problem: expected ones as they are, Fastify's own by their code, the rest internal-error. */
export function toProblem(error: unknown, translate: (error: unknown) => Problem | null): Problem {
  if (isProblem(error)) return error
  const translated = translate(error)
  if (translated !== null) return translated
  const { code, statusCode } = error as Partial<FastifyError>
  switch (code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return new Problem('body-too-large', { cause: error })
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return new Problem('unsupported-media-type', { cause: error })
    case 'FST_ERR_CTP_EMPTY_JSON_BODY':
    case 'FST_ERR_CTP_INVALID_JSON_BODY':
      return new Problem('invalid-json', { cause: error })
    case 'FST_ERR_CTP_INVALID_CONTENT_LENGTH':
      return new Problem('invalid-request', {
        detail: 'The body is not as long as its Content-Length says',
        cause: error,
      })
  }
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500)
    return new Problem('invalid-request', { cause: error })
  return new Problem('internal-error', { cause: error })
}

/** Answers with RFC 9457 problem details. Only faults of ours are logged with their cause; bad requests are the client's. */
export function replyProblem(problem: Problem, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  if (problem.status >= 500) request.log.error({ code: problem.code, err: causeOf(problem) }, 'request failed')
  if (problem.status === 401) reply.header('www-authenticate', challenge(problem))
  if (problem.status === 503 || problem.status === 429) reply.header('retry-after', String(retryAfterSeconds))
  return reply
    .code(problem.status)
    .type('application/problem+json')
    .serializer(JSON.stringify)
    .send(toProblemDocument(problem, request.id))
}

function causeOf(problem: Problem): unknown {
  return problem.cause ?? problem
}

/** RFC 9449 section 7.1. */
function challenge(problem: Problem): string {
  const error =
    problem.code === 'invalid-dpop-proof' || problem.code === 'dpop-replay'
      ? 'invalid_dpop_proof'
      : problem.code === 'missing-token'
        ? null
        : 'invalid_token'
  return `DPoP algs="ES256 EdDSA"${error === null ? '' : `, error="${error}"`}`
}
