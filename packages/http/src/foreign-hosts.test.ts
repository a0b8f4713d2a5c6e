import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import { afterEach, describe, expect, test } from 'vitest'
import { createForeignHosts, type ForeignFetchOptions } from './foreign-hosts.ts'
import { isPublicAddress } from './public-address.ts'
import { testCertificate, testCertificateKey } from './test-certificate.fixture.ts'

const limits = { maxBytes: 1000, timeoutMilliseconds: 5000 }
const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    server.close()
  }
})

type Handler = (request: IncomingMessage, response: ServerResponse) => void

/** A real host behind TLS on this machine; what it is called and whether it may be connected to is up to the test. */
async function host(handler: Handler, options: ForeignFetchOptions = {}) {
  const server = createServer({ key: testCertificateKey, cert: testCertificate }, handler)
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const looked: string[] = []
  const { fetchText, fetchBytes } = createForeignHosts([`dids.example:${port}`, `other.example:${port}`], {
    lookup: async (name) => {
      looked.push(name)
      return [{ address: '127.0.0.1', family: 4 }]
    },
    mayConnect: () => true,
    ca: testCertificate,
    ...options,
  })
  return {
    fetchText,
    fetchBytes,
    looked,
    url: (path = '/did.jsonl', name = 'dids.example') => new URL(`https://${name}:${port}${path}`),
  }
}

const answer =
  (status: number, body: string | Buffer = '', headers: Record<string, string> = {}): Handler =>
  (_, response) =>
    void response.writeHead(status, headers).end(body)

describe('a listed host', () => {
  test('is asked over TLS, by a name looked up once, and no compression is taken', async () => {
    const seen: IncomingMessage['headers'][] = []
    const { fetchText, looked, url } = await host((request, response) => {
      seen.push(request.headers)
      response.end('{"a":"ø"}\n')
    })
    expect(await fetchText(url(), limits)).toBe('{"a":"ø"}\n')
    expect(looked).toEqual(['dids.example'])
    expect(seen[0]?.['accept-encoding']).toBe('identity')
  })

  test.each([404, 410])('that says %i has nothing', async (status) => {
    const { fetchText, url } = await host(answer(status))
    expect(await fetchText(url(), limits)).toBeNull()
  })

  test.each([
    ['redirects', answer(302, '', { location: 'https://other.example/' })],
    ['fails', answer(500)],
    ['gives a part', answer(206, 'x')],
    ['compresses unasked', answer(200, gzipSync('x'.repeat(900)), { 'content-encoding': 'gzip' })],
    ['gives more than is taken', answer(200, 'x'.repeat(1001))],
    ['gives no UTF-8', answer(200, Buffer.from([0xff, 0xfe]))],
    ['hangs up', ((request) => void request.socket.destroy()) as Handler],
    [
      'hangs up in the middle',
      ((_, response) => {
        response.writeHead(200, { 'content-length': '500' })
        response.write('x', () => response.destroy())
      }) as Handler,
    ],
    ['sends headers without end', answer(200, '', { 'x-long': 'x'.repeat(20_000) })],
  ] as const)('that %s is not believed', async (_what, handler) => {
    const { fetchText, url } = await host(handler)
    await expect(fetchText(url(), limits)).rejects.toMatchObject({ code: 'did-resolution-failed' })
  })

  test('that never ends is cut at the limit, however slowly it sends', async () => {
    const { fetchText, url } = await host((_, response) => {
      const send = () => {
        if (!response.destroyed) response.write('x'.repeat(100), () => setImmediate(send))
      }
      send()
    })
    await expect(fetchText(url(), limits)).rejects.toMatchObject({ code: 'did-resolution-failed' })
  })

  test('that answers nothing is given up', async () => {
    const { fetchText, url } = await host(() => undefined)
    await expect(fetchText(url(), { ...limits, timeoutMilliseconds: 50 })).rejects.toMatchObject({
      code: 'did-resolution-failed',
    })
  })

  test('with another certificate is not believed', async () => {
    const { fetchText, url } = await host(answer(200, 'x'))
    const { fetchText: strict } = createForeignHosts([url().host], {
      lookup: async () => [{ address: '127.0.0.1', family: 4 }],
      mayConnect: () => true,
    })
    expect(await fetchText(url(), limits)).toBe('x')
    await expect(strict(url(), limits)).rejects.toMatchObject({ code: 'did-resolution-failed' })
  })

  test('whose name leads to an address that is not public is not connected to', async () => {
    let connected = 0
    const { url } = await host(() => connected++)
    for (const addresses of [
      [{ address: '127.0.0.1', family: 4 }],
      [{ address: '::1', family: 6 }],
      [{ address: '::ffff:127.0.0.1', family: 6 }],
      [
        { address: '93.184.215.14', family: 4 },
        { address: '127.0.0.1', family: 4 },
      ],
      [],
    ]) {
      const { fetchText } = createForeignHosts([url().host], { lookup: async () => addresses, ca: testCertificate })
      await expect(fetchText(url(), limits)).rejects.toMatchObject({ code: 'did-resolution-failed' })
    }
    expect(connected).toBe(0)
  })

  test('is asked a few things at once, and what does not fit any more is refused', async () => {
    let [underWay, most] = [0, 0]
    const gate = Promise.withResolvers<void>()
    const { fetchText, url } = await host(async (_, response) => {
      most = Math.max(most, ++underWay)
      await gate.promise
      underWay--
      response.end('x')
    })
    const asked = Array.from({ length: 80 }, () => fetchText(url(), { ...limits, timeoutMilliseconds: 20_000 }))
    const outcomes = Promise.allSettled(asked)
    gate.resolve()
    const refused = (await outcomes).filter((outcome) => outcome.status === 'rejected')
    expect(refused.length).toBe(80 - 4 - 64)
    for (const { reason } of refused) expect(reason).toMatchObject({ code: 'did-resolution-failed' })
    expect(most).toBeLessThanOrEqual(4)
  })
})

test('bytes are given as they are, with what the host says that they are', async () => {
  const image = Buffer.from([0xff, 0xd8, 0x00, 0x80])
  const { fetchBytes, fetchText, url } = await host(answer(200, image, { 'content-type': 'image/jpeg' }))
  expect(await fetchBytes(url(), limits)).toEqual({ bytes: image, contentType: 'image/jpeg' })
  await expect(fetchText(url(), limits)).rejects.toMatchObject({ code: 'did-resolution-failed' })
  await expect(fetchBytes(url(), { ...limits, maxBytes: 3 })).rejects.toMatchObject({ code: 'did-resolution-failed' })
  const gone = await host(answer(410))
  expect(await gone.fetchBytes(gone.url(), limits)).toBeNull()
})

test('a host that is not listed, an address and another scheme are not asked', async () => {
  const { fetchText, url, looked } = await host(answer(200, 'x'))
  const port = url().port
  for (const text of [
    `https://third.example:${port}/`,
    'https://dids.example/',
    `http://dids.example:${port}/`,
    `https://127.0.0.1:${port}/`,
    `https://[::1]:${port}/`,
  ])
    await expect(fetchText(new URL(text), limits)).rejects.toMatchObject({ code: 'did-not-found' })
  const { fetchText: literal } = createForeignHosts([`127.0.0.1:${port}`], {
    mayConnect: () => true,
    ca: testCertificate,
  })
  await expect(literal(new URL(`https://127.0.0.1:${port}/`), limits)).rejects.toMatchObject({ code: 'did-not-found' })
  expect(looked).toEqual([])
})

test.each([
  ['8.8.8.8', true],
  ['172.15.255.255', true],
  ['172.16.0.1', false],
  ['10.1.2.3', false],
  ['127.8.8.8', false],
  ['169.254.169.254', false],
  ['100.64.0.1', false],
  ['0.0.0.0', false],
  ['224.0.0.1', false],
  ['255.255.255.255', false],
  ['2606:4700::1111', true],
  ['::1', false],
  ['::', false],
  ['::ffff:8.8.8.8', false],
  ['64:ff9b::a00:1', false],
  ['fe80::1', false],
  ['fc00::1', false],
  ['2002:7f00:1::', false],
  ['2001:db8::1', false],
  ['example.com', false],
  ['', false],
])('the address %s is public: %s', (address, expected) => {
  expect(isPublicAddress(address)).toBe(expected)
})
