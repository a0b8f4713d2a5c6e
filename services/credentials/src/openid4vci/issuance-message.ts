import { createChecker } from '@tillit/http'
import { Problem } from '@tillit/problem'
import {
  type CredentialRequest,
  CredentialRequest as CredentialRequestSchema,
  type CredentialResponse,
  type DeferredCredentialRequest,
  DeferredCredentialRequest as DeferredCredentialRequestSchema,
  type PendingCredentialResponse,
  type ResponseEncryption,
} from '@tillit/schemas'
import type { FastifyReply } from 'fastify'
import { responseEncryption } from './encrypt-response.ts'
import type { RequestDecryption } from './request-decryption.ts'

export const jwtType = 'application/jwt'

const checkers = {
  credential: createChecker<CredentialRequest>(CredentialRequestSchema),
  deferred: createChecker<DeferredCredentialRequest>(DeferredCredentialRequestSchema),
}

export interface ReceivedRequest<Request> {
  request: Request
  /** Sends what was found, encrypted when the wallet asked for it. */
  answer(reply: FastifyReply, response: CredentialResponse | PendingCredentialResponse): Promise<FastifyReply>
}

/**
 * A request as it came: JSON, or text when it is a JWE. Section 8.2: who asks for an encrypted response encrypts the request, or
 * anyone on the way could put their own key into it. Throws Problem invalid-encryption-parameters, invalid-json or
 * invalid-request.
 */
export async function receiveCredentialRequest(body: unknown, decryption: RequestDecryption) {
  return received(checkers.credential(await plain(body, decryption)), body)
}

/** The same for the deferred credential endpoint. */
export async function receiveDeferredRequest(body: unknown, decryption: RequestDecryption) {
  return received(checkers.deferred(await plain(body, decryption)), body)
}

async function plain(body: unknown, decryption: RequestDecryption): Promise<unknown> {
  return typeof body === 'string' ? decryption.decrypt(body) : body
}

async function received<Request extends { credential_response_encryption?: ResponseEncryption }>(
  request: Request,
  body: unknown,
): Promise<ReceivedRequest<Request>> {
  const { credential_response_encryption: wanted } = request
  if (wanted !== undefined && typeof body !== 'string') {
    throw new Problem('invalid-encryption-parameters', {
      detail: 'A request for an encrypted response has to be encrypted',
      pointer: '/credential_response_encryption',
    })
  }
  const encrypt = wanted === undefined ? null : await responseEncryption(wanted)
  return {
    request,
    answer: async (reply, response) => {
      reply.code('transaction_id' in response ? 202 : 200).header('cache-control', 'no-store')
      return encrypt === null ? reply.send(response) : reply.type(jwtType).send(await encrypt(response))
    },
  }
}
