import { fromHex } from '@tillit/codec'
import type { TillitServer } from '@tillit/http'
import { formatTrustPolicy } from '@tillit/log'
import { Problem } from '@tillit/problem'
import {
  AnchorList,
  CheckpointList,
  ConsistencyProof,
  LeafProof,
  LedgerStatus,
  Opening,
  OpeningList,
  Sha256Hex,
  WitnessList,
} from '@tillit/schemas'
import { Type } from 'typebox'
import type { DidStore } from './did-store.ts'
import { forEveryone } from './for-everyone.ts'
import { listAnchors } from './list-anchors.ts'
import { listCheckpoints } from './list-checkpoints.ts'
import { listOpenings } from './list-openings.ts'
import type { OpeningReader } from './opening-store.ts'
import { proveConsistency } from './prove-consistency.ts'
import { type ProofParts, proveLeaf } from './prove-leaf.ts'
import { type LedgerParts, readLedger } from './read-ledger.ts'
import { readOpening } from './read-opening.ts'
import { createTileReader } from './read-tile.ts'
import { readWitnesses } from './read-witnesses.ts'
import { matches } from './serve-text.ts'

/** Most openings of one page: each holds an entry of up to 64 kB. */
const maxOpenings = 256
/** Most checkpoints of one page: with a post-quantum cosignature each takes 3.6 kB. */
const maxCheckpoints = 100

const closed = { additionalProperties: false } as const
const tags = ['log']
const Size = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })
const CommitmentParams = Type.Object({ commitment: Sha256Hex })

export interface LogRouteParts extends LedgerParts, ProofParts {
  readonly log: LedgerParts['log']
  readonly anchors: LedgerParts['anchors']
  readonly witnessing: LedgerParts['witnessing']
  readonly dids: Pick<DidStore, 'readListedEntry'>
  readonly openings: OpeningReader
}

/** The log is public: it holds salted commitments, and the salts of listed entries only. */
export function logRoutes(parts: LogRouteParts) {
  const { log, published, publications, publisher, anchors, dids, openings, witnessing } = parts
  const witnessingHeader = witnessing.selfWitnessed ? 'self-witnessed' : 'witnessed'
  const policy = formatTrustPolicy(witnessing.policy)
  const readTile = createTileReader(log, published)
  return async (app: TillitServer): Promise<void> => {
    app.addHook('onRequest', forEveryone)

    app.get(
      '/log/checkpoint',
      { schema: { operationId: 'read-checkpoint', summary: 'The newest checkpoint (C2SP tlog-checkpoint)', tags } },
      async (_request, reply) => {
        const checkpoint = await published.newest()
        if (checkpoint === null) throw new Problem('not-found', { detail: 'The log has published no checkpoint yet' })
        return reply
          .type('text/plain; charset=utf-8')
          .header('cache-control', 'public, max-age=1')
          .header('tillit-witnessing', witnessingHeader)
          .send(checkpoint.note)
      },
    )

    app.get(
      '/log/checkpoints',
      {
        schema: {
          operationId: 'list-checkpoints',
          summary: 'Published checkpoints that are kept, by size',
          tags,
          querystring: Type.Object(
            {
              min_size: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER, default: 0 }),
              limit: Type.Integer({ minimum: 1, maximum: maxCheckpoints, default: maxCheckpoints }),
            },
            closed,
          ),
          response: { 200: CheckpointList },
        },
      },
      async (request, reply) => {
        const { min_size: minSize, limit } = request.query
        const list = await listCheckpoints({ minSize, limit }, publications)
        const next = list.next_min_size
        if (next !== null) reply.header('link', `</log/checkpoints?min_size=${next}&limit=${limit}>; rel="next"`)
        return list
      },
    )

    app.get(
      '/log/policy',
      {
        schema: {
          operationId: 'read-policy',
          summary: 'The policy under which the log publishes (C2SP tlog-policy)',
          tags,
        },
      },
      async (_request, reply) =>
        reply.type('text/plain; charset=utf-8').header('tillit-witnessing', witnessingHeader).send(policy),
    )

    app.get(
      '/log/witnesses',
      {
        schema: {
          operationId: 'read-witnesses',
          summary: 'The witnesses of the log, and what each did last',
          tags,
          response: { 200: WitnessList },
        },
      },
      () => readWitnesses(witnessing, { publications, publisher }),
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
        const { bytes, etag } = await readTile(request.params['*'])
        // A path never has other bytes, so whoever has them need not ask again for as long as a cache may be told.
        reply.header('etag', etag).header('cache-control', 'public, max-age=31536000, immutable')
        if (matches(request.headers['if-none-match'], etag)) return reply.code(304).send()
        return reply.type('application/octet-stream').send(bytes)
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
      (request) => proveLeaf(fromHex(request.params.commitment), request.query.size ?? null, parts),
    )

    app.get(
      '/log/openings',
      {
        schema: {
          operationId: 'list-openings',
          summary: 'Opens the entries of listed DIDs, in the order of the log',
          tags,
          querystring: Type.Object(
            {
              from: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER, default: 0 }),
              limit: Type.Integer({ minimum: 1, maximum: maxOpenings, default: maxOpenings }),
            },
            closed,
          ),
          response: { 200: OpeningList },
        },
      },
      async (request, reply) => {
        const list = await listOpenings(request.query, { openings, published })
        const { next_from: next } = list
        if (next !== null) reply.header('link', `</log/openings?from=${next}&limit=${request.query.limit}>; rel="next"`)
        return list
      },
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
      (request) => proveConsistency(request.query, published),
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
              min_size: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER, default: 0 }),
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
      () => readLedger(parts),
    )
  }
}
