import { callerOf, createTurns, type TillitServer } from '@tillit/http'
import { Problem } from '@tillit/problem'
import {
  AccessRecord,
  AccessRecordList,
  BatchAccepted,
  BatchUpload,
  DeviceEnrolment,
  EntitlementRegistration,
  MeteringPoint,
  MeteringPointRegistration,
  Opening,
  ReadingSeries,
} from '@tillit/schemas'
import { acceptBatch } from './accept-batch.ts'
import { listAccessRecords, readAccessRecord, readReceipt } from './access-records.ts'
import { enrolDevice, quarantineDevice } from './enrol-device.ts'
import { endEntitlement, entitleCustomer } from './entitle-customer.ts'
import { handOver } from './hand-over.ts'
import { importReadings } from './import-readings.ts'
import { listMeteringPoints } from './list-metering-points.ts'
import type { MeteringPorts } from './ports.ts'
import { readBatchReceipt } from './read-batch-receipt.ts'
import { readReadings } from './read-readings.ts'
import { registerMeteringPoint } from './register-metering-point.ts'
import type { SeriesFormat } from './render-series.ts'
import {
  BatchParams,
  Device,
  DeviceParams,
  Entitlement,
  EntitlementEnd,
  MeteringPointList,
  Page,
  PointParams,
  ReadingImport,
  ReadingImportResult,
  ReadingsQuery,
  RecordParams,
  RecordsQuery,
} from './route-schemas.ts'

/** Bodies that hold thousands of readings. */
const batchBodyLimitBytes = 512 * 1024
const importBodyLimitBytes = 2 * 1024 * 1024
const defaultLimit = 50
/**
 * Answers of one caller under way at once. Each holds a connection until its client has received it, so a client that reads
 * slowly must not be able to hold them all.
 */
const answersAtOnce = 6
const answersWaiting = 128

const tags = ['metering']

/** The routes of the service; each handler is one call. */
export function meteringRoutes(ports: MeteringPorts): (app: TillitServer) => Promise<void> {
  return async (app) => {
    addPointRoutes(app, ports)
    addDeviceRoutes(app, ports)
    addReadingRoutes(app, ports)
    addRecordRoutes(app, ports)
  }
}

function addPointRoutes(app: TillitServer, ports: MeteringPorts): void {
  app.post(
    '/metering-points',
    {
      schema: {
        ...{ operationId: 'register-metering-point', summary: 'Register a metering point of this utility', tags },
        ...{ body: MeteringPointRegistration, response: { 201: MeteringPoint } },
      },
      config: { callers: ['organisation'] },
    },
    async (request, reply) =>
      reply.code(201).send(await registerMeteringPoint(ports, callerOf(request).id, request.body)),
  )
  app.get(
    '/metering-points',
    {
      schema: {
        ...{ operationId: 'list-metering-points', summary: 'The metering points that concern the caller', tags },
        ...{ querystring: Page, response: { 200: MeteringPointList } },
      },
      config: { callers: ['customer', 'organisation'] },
    },
    async (request) => {
      const { limit = defaultLimit, after = '' } = request.query
      return listMeteringPoints(ports, callerOf(request), { limit, after })
    },
  )
  app.post(
    '/metering-points/:id/entitlements',
    {
      schema: {
        ...{ operationId: 'entitle-customer', summary: 'Say which customer holds the point from when', tags },
        ...{ params: PointParams, body: EntitlementRegistration, response: { 201: Entitlement } },
      },
      config: { callers: ['organisation'] },
    },
    async (request, reply) =>
      reply.code(201).send(await entitleCustomer(ports, callerOf(request).id, request.params.id, request.body)),
  )
  app.post(
    '/metering-points/:id/entitlements/end',
    {
      schema: {
        ...{ operationId: 'end-entitlement', summary: 'End what a customer holds, for example at move-out', tags },
        ...{ params: PointParams, body: EntitlementEnd, response: { 200: Entitlement } },
      },
      config: { callers: ['organisation'] },
    },
    async (request) => endEntitlement(ports, callerOf(request).id, request.params.id, request.body),
  )
}

function addDeviceRoutes(app: TillitServer, ports: MeteringPorts): void {
  app.post(
    '/devices',
    {
      schema: {
        ...{ operationId: 'enrol-device', summary: 'Enrol a device at a metering point of this utility', tags },
        ...{ body: DeviceEnrolment, response: { 201: Device } },
      },
      config: { callers: ['organisation'] },
    },
    async (request, reply) => reply.code(201).send(await enrolDevice(ports, callerOf(request).id, request.body)),
  )
  app.post(
    '/devices/:did/quarantine',
    {
      schema: {
        ...{ operationId: 'quarantine-device', summary: 'Take no more from a device', tags },
        ...{ params: DeviceParams, response: { 200: Device } },
      },
      config: { callers: ['organisation'] },
    },
    async (request) => quarantineDevice(ports, callerOf(request).id, request.params.did),
  )
  app.post(
    '/devices/:did/batches',
    {
      schema: {
        ...{ operationId: 'accept-batch', summary: 'A device publishes a signed batch of readings', tags },
        ...{ params: DeviceParams, body: BatchUpload, response: { 200: BatchAccepted } },
      },
      config: { callers: ['device'] },
      bodyLimit: batchBodyLimitBytes,
    },
    async (request) =>
      acceptBatch(ports, {
        callerDid: callerOf(request).id,
        did: request.params.did,
        jws: request.body.batch,
      }),
  )
  app.get(
    '/devices/:did/batches/:seq/receipt',
    {
      schema: {
        ...{ operationId: 'read-batch-receipt', summary: 'What opens the leaf of a batch in the log', tags },
        ...{ params: BatchParams, response: { 200: Opening } },
      },
      config: { callers: ['device', 'organisation'] },
    },
    async (request) => readBatchReceipt(ports, callerOf(request), request.params),
  )
}

function addReadingRoutes(app: TillitServer, ports: MeteringPorts): void {
  const takeTurn = createTurns({ atOnce: answersAtOnce, waiting: answersWaiting })
  app.post(
    '/metering-points/:id/imports',
    {
      schema: {
        ...{ operationId: 'import-readings', summary: 'Store a chunk of a file for a point of this utility', tags },
        ...{ params: PointParams, body: ReadingImport, response: { 200: ReadingImportResult } },
      },
      config: { callers: ['organisation'] },
      bodyLimit: importBodyLimitBytes,
    },
    async (request) => importReadings(ports, callerOf(request).id, request.params.id, request.body),
  )
  app.get(
    '/metering-points/:id/readings',
    {
      schema: {
        ...{ operationId: 'read-readings', summary: 'Read a meter, as fine as is allowed', tags },
        ...{ params: PointParams, querystring: ReadingsQuery, response: { 200: ReadingSeries } },
        produces: ['application/json', 'text/csv'],
      },
      config: { callers: ['customer', 'organisation'] },
    },
    async (request, reply) => {
      const { from, to, granularity, product, direction, purpose } = request.query
      const format = acceptedFormat(request.headers.accept)
      const ask = {
        ...{ caller: callerOf(request), pointId: request.params.id, format },
        ...{ from: new Date(from), to: new Date(to), granularity: granularity ?? null, purpose: purpose ?? null },
        ...{ product: product ?? 'active_energy', direction: direction ?? 'consumption' },
      }
      await takeTurn(ask.caller.id, () =>
        readReadings(ports, ask, (answer) =>
          handOver(reply, answer, { format, limitMilliseconds: ports.handOverMilliseconds }),
        ),
      )
      return reply
    },
  )
}

function addRecordRoutes(app: TillitServer, ports: MeteringPorts): void {
  const config = { callers: ['customer' as const, 'organisation' as const] }
  app.get(
    '/access-records',
    {
      schema: {
        ...{ operationId: 'list-access-records', summary: 'Who read what, and who was refused', tags },
        ...{ querystring: RecordsQuery, response: { 200: AccessRecordList } },
      },
      config,
    },
    async (request) => {
      const { metering_point, caller, from, to, after, limit = defaultLimit } = request.query
      return listAccessRecords(ports, callerOf(request), {
        ...{ meteringPoint: metering_point, caller, after, limit },
        ...{ from: optionalDate(from), to: optionalDate(to) },
      })
    },
  )
  app.get(
    '/access-records/:id',
    {
      schema: {
        ...{ operationId: 'read-access-record', summary: 'One access record', tags },
        ...{ params: RecordParams, response: { 200: AccessRecord } },
      },
      config,
    },
    async (request) => readAccessRecord(ports, callerOf(request), request.params.id),
  )
  app.get(
    '/access-records/:id/receipt',
    {
      schema: {
        ...{ operationId: 'read-access-receipt', summary: 'What opens the leaf of an access record in the log', tags },
        ...{ params: RecordParams, response: { 200: Opening } },
      },
      config,
    },
    async (request) => readReceipt(ports, callerOf(request), request.params.id),
  )
}

/** The first of our media types that the client names; JSON when it does not care. */
function acceptedFormat(accept: string | undefined): SeriesFormat {
  const ranges = (accept ?? '*/*').split(',').map((range) => range.split(';')[0]?.trim().toLowerCase())
  for (const range of ranges) {
    if (range === 'text/csv' || range === 'text/*') return 'text/csv'
    if (range === 'application/json' || range === 'application/*' || range === '*/*') return 'application/json'
  }
  throw new Problem('not-acceptable', { detail: 'Readings are given as application/json or text/csv' })
}

function optionalDate(text: string | undefined): Date | undefined {
  return text === undefined ? undefined : new Date(text)
}
