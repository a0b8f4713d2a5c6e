import { callerOf, type TillitServer } from '@tillit/http'
import {
  VcApiCredentialResult,
  VcApiIssueRequest,
  VcApiIssueResponse,
  VcApiPresentationResult,
  VcApiStatusRequest,
  VcApiVerifyCredentialRequest,
  VcApiVerifyPresentationRequest,
  VerificationRequest,
  VerificationResult,
} from '@tillit/schemas'
import { Type } from 'typebox'
import type { Context } from '../ports.ts'
import { verifyCredential } from '../verify-credential.ts'
import { issueVcApi } from './issue-vc-api.ts'
import { updateVcApiStatus } from './update-vc-api-status.ts'
import { answerWithErrors } from './vc-api-errors.ts'
import { verifyVcApiCredential, verifyVcApiPresentation } from './verify-vc-api.ts'

const tags = ['vc-api']

/** W3C VC-API, in a scope of its own because of how it answers errors. */
export function vcApiRoutes(context: Context): (app: TillitServer) => Promise<void> {
  return async (app) => {
    answerWithErrors(app)
    issuerRoutes(app, context)
    verifierRoutes(app, context)
  }
}

function issuerRoutes(app: TillitServer, context: Context): void {
  app.post(
    '/credentials/issue',
    {
      schema: {
        operationId: 'issue-vc-api',
        summary: 'An issuer for whom it is enabled has a W3C credential signed (W3C VC-API)',
        tags,
        body: VcApiIssueRequest,
        response: { 201: VcApiIssueResponse },
      },
      config: { callers: ['organisation'] },
    },
    async (request, reply) => reply.code(201).send(await issueVcApi(context, callerOf(request).id, request.body)),
  )
  app.post(
    '/credentials/status',
    {
      schema: {
        operationId: 'update-vc-api-status',
        summary: 'An issuer sets or lifts the status of what it issued so (W3C VC-API)',
        tags,
        body: VcApiStatusRequest,
        response: { 200: Type.Object({}) },
      },
      config: { callers: ['organisation'] },
    },
    async (request) => {
      await updateVcApiStatus(context, callerOf(request).id, request.body)
      return {}
    },
  )
}

function verifierRoutes(app: TillitServer, context: Context): void {
  app.post(
    '/credentials/verify',
    {
      schema: {
        operationId: 'verify-credential',
        summary:
          'What a credential or DID-signed JWT is, and whether this city trusts it; or a W3C credential (W3C VC-API)',
        tags: ['credentials', ...tags],
        body: Type.Union([VerificationRequest, VcApiVerifyCredentialRequest]),
        response: { 200: Type.Union([VerificationResult, VcApiCredentialResult]) },
      },
    },
    async ({ body }, reply) =>
      reply
        .header('cache-control', 'no-store')
        .send(
          'verifiableCredential' in body
            ? await verifyVcApiCredential(context, body)
            : await verifyCredential(context, body.credential),
        ),
  )
  app.post(
    '/presentations/verify',
    {
      schema: {
        operationId: 'verify-vc-api-presentation',
        summary: 'Verifies a W3C presentation and the credentials in it (W3C VC-API)',
        tags,
        body: VcApiVerifyPresentationRequest,
        response: { 200: VcApiPresentationResult },
      },
    },
    async ({ body }, reply) =>
      reply.header('cache-control', 'no-store').send(await verifyVcApiPresentation(context, body)),
  )
}
