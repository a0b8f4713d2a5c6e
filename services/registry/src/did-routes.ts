import { callerOf, type TillitServer } from '@tillit/http'
import {
  Did,
  DidAccepted,
  DidLogAccepted,
  DidLogEntry,
  DidLogRegistration,
  DidRegistration,
  DidRegistrationResults,
  DidRegistrations,
  DidWitnessing,
  DidWitnessProofs,
  ListedDids,
} from '@tillit/schemas'
import { Type } from 'typebox'
import { type AcceptingPorts, maxEntryBytes } from './accept-entry.ts'
import { appendDidEntry } from './append-did-entry.ts'
import { didOfPath } from './did-of-path.ts'
import type { DidStore } from './did-store.ts'
import { eraseDid } from './erase-did.ts'
import { listDids } from './list-dids.ts'
import type { RegistryPorts } from './ports.ts'
import type { RegisterDid } from './register-did.ts'
import { registerDidLog } from './register-did-log.ts'
import { registerDids } from './register-dids.ts'
import { takeWitnessProofs } from './take-witness-proofs.ts'
import type { VerifiedLogs } from './verified-logs.ts'

/** Largest batch of first entries: 500 of the usual size, some larger. */
const batchLimitBytes = 4 * 1024 * 1024
/** Largest log that moves here: 200 entries of the usual size, some larger. */
const logLimitBytes = 2 * 1024 * 1024
/** Largest list of witness proofs: 64 witnesses of several versions. */
const proofsLimitBytes = 256 * 1024
const maxProofItems = 16
const maxListed = 500

const closed = { additionalProperties: false } as const
const tags = ['registry']
const DidParams = Type.Object({ did: Type.String({ maxLength: 2048 }) })

export interface DidRouteParts {
  readonly store: DidStore
  readonly logs: VerifiedLogs
  readonly register: RegisterDid
  /** did:key of the registry itself as a witness. */
  readonly ownWitness: string
  readonly ports: AcceptingPorts & Pick<RegistryPorts, 'didHost'>
  /** Told of each DID that was written to. */
  readonly onWritten: (did: string) => void
}

/** DIDs are self-issued: their entries and proofs prove themselves, so only erasing them needs a caller. */
export function didRoutes({ store, logs, register, ownWitness, ports, onWritten }: DidRouteParts) {
  return async (app: TillitServer): Promise<void> => {
    app.post(
      '/dids',
      {
        bodyLimit: maxEntryBytes,
        schema: {
          operationId: 'register-did',
          summary: 'Registers a did:webvh from its first entry',
          tags,
          body: DidRegistration,
          response: { 200: DidAccepted, 201: DidAccepted },
        },
      },
      async (request, reply) => {
        const { accepted, created } = await register(request.body)
        if (created) onWritten(accepted.did)
        return reply.code(created ? 201 : 200).send(accepted)
      },
    )

    app.post(
      '/dids/batch',
      {
        bodyLimit: batchLimitBytes,
        schema: {
          operationId: 'register-dids',
          summary: 'Registers many did:webvh, each for itself',
          tags,
          body: DidRegistrations,
          response: { 200: DidRegistrationResults },
        },
      },
      async (request) => {
        const answer = await registerDids(request.body.registrations, register)
        for (const { status, accepted } of answer.results)
          if (status === 201 && accepted !== undefined) onWritten(accepted.did)
        return answer
      },
    )

    app.post(
      '/dids/log',
      {
        bodyLimit: logLimitBytes,
        schema: {
          operationId: 'register-did-log',
          summary: 'Registers a did:webvh that moves here, with its whole log',
          tags,
          body: DidLogRegistration,
          response: { 200: DidLogAccepted, 201: DidLogAccepted },
        },
      },
      async (request, reply) => {
        const { answer, created } = await registerDidLog(request.body, { store, ...ports })
        if (created) onWritten(answer.witnessing.did)
        return reply.code(created ? 201 : 200).send(answer)
      },
    )

    app.get(
      '/dids',
      {
        schema: {
          operationId: 'list-dids',
          summary: 'The listed DIDs that live here',
          tags,
          querystring: Type.Object(
            {
              after: Type.Optional(Did),
              limit: Type.Integer({ minimum: 1, maximum: maxListed, default: 100 }),
            },
            closed,
          ),
          response: { 200: ListedDids },
        },
      },
      async (request, reply) => {
        const { after = '', limit } = request.query
        const page = await listDids({ after, limit }, store)
        reply.header('access-control-allow-origin', '*')
        if (page.next_after !== null)
          reply.header('link', `</dids?after=${encodeURIComponent(page.next_after)}&limit=${limit}>; rel="next"`)
        return page
      },
    )

    app.post(
      '/dids/:did/entries',
      {
        bodyLimit: maxEntryBytes,
        schema: {
          operationId: 'append-did-entry',
          summary: 'Updates, rotates, moves or deactivates a DID',
          tags,
          params: DidParams,
          body: DidLogEntry,
          response: { 200: DidAccepted, 201: DidAccepted },
        },
      },
      async (request, reply) => {
        const { accepted, created } = await appendDidEntry(didOfPath(request.url, 2), request.body, { store, ...ports })
        if (created) onWritten(accepted.did)
        return reply.code(created ? 201 : 200).send(accepted)
      },
    )

    app.post(
      '/dids/:did/witness-proofs',
      {
        bodyLimit: proofsLimitBytes,
        schema: {
          operationId: 'take-witness-proofs',
          summary: 'Takes approvals of versions by the witnesses of a DID, as in did-witness.json',
          tags,
          params: DidParams,
          body: Type.Array(DidWitnessProofs, { minItems: 1, maxItems: maxProofItems }),
          response: { 200: DidWitnessing },
        },
      },
      async (request) => {
        const did = didOfPath(request.url, 2)
        const witnessing = await takeWitnessProofs(did, request.body, { store, logs, now: ports.now })
        onWritten(did)
        return witnessing
      },
    )

    app.delete(
      '/dids/:did',
      {
        config: { callers: ['organisation', 'device'] },
        schema: {
          operationId: 'erase-did',
          summary: 'Erases an unlisted DID, at its own request',
          tags,
          params: DidParams,
          response: { 204: Type.Null() },
        },
      },
      async (request, reply) => {
        const did = didOfPath(request.url, 2)
        await eraseDid(did, callerOf(request), { store, logs, now: ports.now })
        onWritten(did)
        return reply.code(204).send(null)
      },
    )

    app.get(
      '/registry/witness',
      {
        schema: {
          operationId: 'read-registry-witness',
          summary: 'The registry as a did:webvh witness: it approves versions that the published log holds',
          tags,
          response: { 200: Type.Object({ did: Did }, closed) },
        },
      },
      async (_request, reply) => {
        reply.header('access-control-allow-origin', '*')
        return { did: ownWitness }
      },
    )
  }
}
