import { isProblem, type Problem, type ProblemCode } from '@tillit/problem'
import type { IssuanceError } from '@tillit/schemas'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'

/** Our problems by the names that OpenID4VCI 1.0 has for them in sections 8.3.1, 9.3 and 11.3, and RFC 6750 in section 3.1. */
const errorNames: Partial<Record<ProblemCode, string>> = {
  'unknown-credential-configuration': 'unknown_credential_configuration',
  'unknown-credential-identifier': 'unknown_credential_identifier',
  'invalid-nonce': 'invalid_nonce',
  'invalid-encryption-parameters': 'invalid_encryption_parameters',
  'credential-request-denied': 'credential_request_denied',
  'invalid-transaction-id': 'invalid_transaction_id',
  'invalid-notification-id': 'invalid_notification_id',
  // Whatever is wrong with a key, or with the DID that shows it, is wrong with the proof.
  'invalid-proof': 'invalid_proof',
  'invalid-signature': 'invalid_proof',
  'invalid-jws': 'invalid_proof',
  'invalid-key': 'invalid_proof',
  'weak-key': 'invalid_proof',
  'unsupported-algorithm': 'invalid_proof',
  'key-not-bound': 'invalid_proof',
  'invalid-did': 'invalid_proof',
  'did-not-found': 'invalid_proof',
  'did-deactivated': 'invalid_proof',
  'did-erased': 'invalid_proof',
  'did-method-not-supported': 'invalid_proof',
}

const authorizationErrors: Partial<Record<ProblemCode, string>> = {
  'invalid-token': 'invalid_token',
  'invalid-dpop-proof': 'invalid_dpop_proof',
  'dpop-replay': 'invalid_dpop_proof',
  'insufficient-scope': 'insufficient_scope',
  'role-required': 'insufficient_scope',
}

/** What the texts of section 8.3.1 may hold. */
const notAllowed = /[^\x20\x21\x23-\x5B\x5D-\x7E]/g

/**
 * An error handler that answers in the form of OpenID4VCI 1.0; `malformed` is what the endpoint calls a request that is not as it
 * should be. Faults that are ours go on to the server's own handler.
 */
export function replyIssuanceError(malformed: 'invalid_credential_request' | 'invalid_notification_request') {
  return (error: FastifyError, _request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const problem: Problem | null = isProblem(error) ? error : null
    const status = problem?.status ?? error.statusCode ?? 500
    if (status >= 500) throw error
    const isUnauthorized = status === 401 && problem?.code !== 'invalid-signature'
    const authorizationError = problem === null ? undefined : authorizationErrors[problem.code]
    reply.header('cache-control', 'no-store')
    if (isUnauthorized || authorizationError !== undefined) {
      reply.header('www-authenticate', challenge(authorizationError))
      return send(reply.code(status), authorizationError ?? 'invalid_token', problem)
    }
    return send(reply.code(400), (problem && errorNames[problem.code]) ?? malformed, problem)
  }
}

/** RFC 9449 section 7.1. Who showed no token is told no error (RFC 6750 section 3.1). */
function challenge(error: string | undefined): string {
  return `DPoP algs="ES256 EdDSA"${error === undefined ? '' : `, error="${error}"`}`
}

function send(reply: FastifyReply, error: string, problem: Problem | null): FastifyReply {
  const description = problem?.message.replaceAll('’', "'").replaceAll('"', "'").replace(notAllowed, '?')
  const body: IssuanceError = { error, ...(description === undefined ? {} : { error_description: description }) }
  return reply.type('application/json').serializer(JSON.stringify).send(body)
}
