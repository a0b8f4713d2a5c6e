import { fromHex } from '@tillit/codec'
import type { TillitServer } from '@tillit/http'
import { Problem } from '@tillit/problem'
import { LeafProof, Opening, Sha256Hex } from '@tillit/schemas'
import { Type } from 'typebox'
import type { AnchorStore } from './anchor-store.ts'
import type { Anchorer } from './anchorer.ts'
import type { DidStore } from './did-store.ts'
import { AnchorList, listAnchors } from './list-anchors.ts'
import type { LogReader } from './log-store.ts'
import type { RegistryPorts } from './ports.ts'
import { ConsistencyProof, proveConsistency } from './prove-consistency.ts'
import { proveLeaf } from './prove-leaf.ts'
import { LedgerStatus, readLedger } from './read-ledger.ts'
import { readOpening } from './read-opening.ts'
import { readTile } from './read-tile.ts'

const closed = { additionalProperties: false } as const
const tags = ['log']
const Size = Type.Integer({ minimum: 0 })
const CommitmentParams = Type.Object({ commitment: Sha256Hex })

export interface LogRouteParts {
  readonly log: LogReader
  readonly anchors: AnchorStore
  readonly dids: DidStore
  readonly anchorer: Anchorer
  readonly ports: Pick<RegistryPorts, 'logOrigin' | 'logSigner' | 'ledger' | 'publicRpcUrl'>
}

/** The log is public: it holds salted commitments only. */
export function logRoutes({ log, anchors, dids, anchorer, ports }: LogRouteParts) {
  return async (app: TillitServer): Promise<void> => {
    app.get(
      '/log/checkpoint',
      { schema: { operationId: 'read-checkpoint', summary: 'The newest checkpoint (C2SP tlog-checkpoint)', tags } },
      async (_request, reply) => {
        const checkpoint = await log.newestCheckpoint()
        if (checkpoint === null) throw new Problem('not-found', { detail: 'The log has signed no checkpoint yet' })
        return reply
          .type('text/plain; charset=utf-8')
          .header('cache-control', 'public, max-age=1')
          .send(checkpoint.note)
      },
    )

    app.get(
      '/log/tile/*',
      {
        schema: {
          operationId: 'read-tile',
          summary: 'A tile or an entry bundle (C2SP tlog-tiles)',
          tags,
          params: Type.Object({ '*': Type.String({ maxLength: 64 }) }),
        },
      },
      async (request, reply) => {
        const tile = await readTile(request.params['*'], log)
        return reply
          .type('application/octet-stream')
          .header('cache-control', 'public, max-age=31536000, immutable')
          .send(Buffer.from(tile))
      },
    )

    app.get(
      '/log/leaves/:commitment/proof',
      {
        schema: {
          operationId: 'prove-leaf',
          summary: 'Proves that the log holds a commitment',
          tags,
          params: CommitmentParams,
          querystring: Type.Object({ size: Type.Optional(Size) }, closed),
          response: { 200: LeafProof },
        },
      },
      (request) =>
        proveLeaf(fromHex(request.params.commitment), request.query.size ?? null, { log, anchors, ...ports }),
    )

    app.get(
      '/log/openings/:commitment',
      {
        schema: {
          operationId: 'read-opening',
          summary: 'Opens the commitment to an entry of a listed DID',
          tags,
          params: CommitmentParams,
          response: { 200: Opening },
        },
      },
      (request) => readOpening(fromHex(request.params.commitment), dids),
    )

    app.get(
      '/log/consistency',
      {
        schema: {
          operationId: 'prove-consistency',
          summary: 'Proves that the log of one size is a beginning of that of another',
          tags,
          querystring: Type.Object({ from: Size, to: Size }, closed),
          response: { 200: ConsistencyProof },
        },
      },
      (request) => proveConsistency(request.query, log),
    )

    app.get(
      '/registry/anchors',
      {
        schema: {
          operationId: 'list-anchors',
          summary: 'What the ledger holds of the log, by size',
          tags,
          querystring: Type.Object(
            {
              min_size: Type.Integer({ minimum: 0, default: 0 }),
              limit: Type.Integer({ minimum: 1, maximum: 500, default: 100 }),
            },
            closed,
          ),
          response: { 200: AnchorList },
        },
      },
      async (request, reply) => {
        const { min_size: minSize, limit } = request.query
        const list = await listAnchors({ minSize, limit }, anchors)
        const next = list.next_min_size
        if (next !== null) reply.header('link', `</registry/anchors?min_size=${next}&limit=${limit}>; rel="next"`)
        return list
      },
    )

    app.get(
      '/registry/ledger',
      {
        schema: {
          operationId: 'read-ledger',
          summary: 'Which ledger anchors the log, and how far',
          tags,
          response: { 200: LedgerStatus },
        },
      },
      () => readLedger({ log, anchors, anchorer, ports }),
    )
  }
}
