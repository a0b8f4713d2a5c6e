import { callerOf, type TillitServer } from '@tillit/http'
import {
  Accreditation,
  AccreditationHistory,
  CompromisedKeyList,
  CompromisedKeyRecord,
  CredentialType,
  Did,
  IssuerList,
  KeyCompromiseReport,
  Party,
  TrustAnswer,
  TrustQuery,
} from '@tillit/schemas'
import { Type } from 'typebox'
import { accreditOrganisation } from './accredit-organisation.ts'
import { answerTrustQuery } from './answer-trust-query.ts'
import { requireRoot } from './issue-credential.ts'
import { listIssuers } from './list-issuers.ts'
import type { Context } from './ports.ts'
import { publishCompromisedKeys } from './publish-compromised-keys.ts'
import { statusListTtlSeconds } from './publish-status-list.ts'
import { readHistory } from './read-history.ts'
import { listCompromisedKeys, reportCompromisedKey } from './report-compromised-key.ts'
import { setSuspension } from './suspend-organisation.ts'
import { readParty, toParty } from './trust-registry.ts'

const maxPageSize = 100
const compromisedKeysType = 'application/compromised-keys+jwt'

const closed = { additionalProperties: false } as const
const byDid = Type.Object({ did: Did }, closed)
const page = {
  after: Type.Optional(Type.String({ maxLength: 1024 })),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: maxPageSize })),
}
const PartyList = Type.Object(
  { organisations: Type.Array(Party), next: Type.Optional(Type.String({ description: 'Pass as after' })) },
  closed,
)
const TrustRoot = Type.Object({ did: Did }, closed)
const tags = ['trust']

/** The trust registry: anyone reads it, the registrar writes it. */
export function trustRoutes(app: TillitServer, context: Context): void {
  readRoutes(app, context)
  registrarRoutes(app, context)
  keyRoutes(app, context)
}

function readRoutes(app: TillitServer, context: Context): void {
  app.get(
    '/trust/root',
    { schema: { operationId: 'read-trust-root', summary: 'The root of trust', tags, response: { 200: TrustRoot } } },
    async () => ({ did: await requireRoot(context.store) }),
  )
  app.get(
    '/trust/organisations',
    {
      schema: {
        operationId: 'list-organisations',
        summary: 'Organisations that were accredited here',
        tags,
        querystring: Type.Object(page, closed),
        response: { 200: PartyList },
      },
    },
    async ({ query: { after = '', limit = maxPageSize } }) => {
      const rows = await context.store.listParties(after, limit)
      const last = rows.length === limit ? rows.at(-1) : undefined
      return { organisations: rows.map(toParty), ...(last === undefined ? {} : { next: last.did }) }
    },
  )
  app.get(
    '/trust/organisations/:did',
    {
      schema: {
        operationId: 'read-organisation',
        summary: 'An organisation with its OrganisationCredential',
        tags,
        params: byDid,
        response: { 200: Party },
      },
    },
    async ({ params }) => readParty(context, params.did),
  )
  app.get(
    '/trust/organisations/:did/history',
    {
      schema: {
        operationId: 'read-history',
        summary: 'What the registrar decided about an organisation, and when',
        tags,
        params: byDid,
        querystring: Type.Object(
          { after: Type.Optional(Type.Integer({ minimum: 0, maximum: 2 ** 31 - 1 })), limit: page.limit },
          closed,
        ),
        response: { 200: AccreditationHistory },
      },
    },
    async ({ params, query: { after = 0, limit = maxPageSize } }) => readHistory(context, params.did, { after, limit }),
  )
  app.get(
    '/trust/issuers',
    {
      schema: {
        operationId: 'list-issuers',
        summary: 'Who may issue a type of credential now',
        tags,
        querystring: Type.Object({ type: CredentialType, ...page }, closed),
        response: { 200: IssuerList },
      },
    },
    async ({ query: { type, after = '', limit = maxPageSize } }) => listIssuers(context, type, { after, limit }),
  )
  app.post(
    '/trust/authorization',
    {
      schema: {
        operationId: 'answer-trust-query',
        summary: 'May this party issue, act or process so, now or at a time? (ToIP TRQP 2.0)',
        tags,
        body: TrustQuery,
        response: { 200: TrustAnswer },
      },
    },
    async ({ body }) => answerTrustQuery(context, body),
  )
}

function registrarRoutes(app: TillitServer, context: Context): void {
  app.post(
    '/trust/accreditations',
    {
      schema: {
        operationId: 'accredit-organisation',
        summary: 'The registrar accredits an organisation',
        tags,
        body: Accreditation,
        response: { 201: Party },
      },
      config: { callers: ['organisation'] },
    },
    async (request, reply) =>
      reply.code(201).send(await accreditOrganisation(context, callerOf(request).id, request.body)),
  )
  for (const suspended of [true, false]) {
    app.route({
      method: suspended ? 'POST' : 'DELETE',
      url: '/trust/organisations/:did/suspension',
      schema: {
        operationId: suspended ? 'suspend-organisation' : 'readmit-organisation',
        summary: suspended ? 'The registrar suspends an organisation' : 'The registrar lifts a suspension',
        tags,
        params: byDid,
        response: { 200: Party },
      },
      config: { callers: ['organisation'] },
      handler: async (request) => setSuspension(context, callerOf(request).id, { did: request.params.did, suspended }),
    })
  }
}

function keyRoutes(app: TillitServer, context: Context): void {
  app.get(
    '/trust/compromised-keys',
    {
      schema: {
        operationId: 'publish-compromised-keys',
        summary: `Keys that nothing is believed of, as a signed list (${compromisedKeysType})`,
        tags,
        response: {
          200: { description: 'Signed list', content: { [compromisedKeysType]: { schema: Type.String() } } },
        },
      },
    },
    async (_request, reply) => {
      reply
        .header('cache-control', `public, max-age=${statusListTtlSeconds}`)
        .header('access-control-allow-origin', '*')
      return reply.type(compromisedKeysType).send(await publishCompromisedKeys(context))
    },
  )
  app.post(
    '/trust/compromised-keys',
    {
      schema: {
        operationId: 'report-compromised-key',
        summary: 'The controller of a DID or the registrar reports a key as compromised, for good',
        tags,
        body: KeyCompromiseReport,
        response: { 201: CompromisedKeyRecord },
      },
    },
    async (request, reply) => reply.code(201).send(await reportCompromisedKey(context, request.body.statement)),
  )
  app.get(
    '/trust/organisations/:did/compromised-keys',
    {
      schema: {
        operationId: 'list-compromised-keys',
        summary: 'The compromised keys of a DID, with what was stated and what opens it in the log',
        tags,
        params: byDid,
        response: { 200: CompromisedKeyList },
      },
    },
    async ({ params }) => ({ keys: await listCompromisedKeys(context, params.did) }),
  )
}
