import { fromUtf8, parseJson, toHex } from '@tillit/codec'
import { createDid, formatDidLog } from '@tillit/did'
import { parseTrustPolicy } from '@tillit/log'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { fetchFromCity } from './fetch-city.ts'
import { type FsckOptions, fsckCity } from './fsck-city.ts'
import { contract, json, LyingLog, now, signerOf, startLyingLog } from './lying-log.fixture.ts'

type Log = Awaited<ReturnType<typeof startLyingLog>>
let log: Log

beforeEach(async () => {
  log = await startLyingLog()
})

afterEach(async () => {
  await log.stop()
})

function fsck(options: Partial<FsckOptions> = {}) {
  return fsckCity({
    fetchCity: fetchFromCity(log.url, { pausesMilliseconds: [] }),
    policy: parseTrustPolicy(log.policy),
    ledger: { contract, readAnchors: async () => log.ledger },
    now: () => now,
    settleMilliseconds: 0,
    ...options,
  })
}

/** What is found, as `code where`. */
async function findings(options: Partial<FsckOptions> = {}): Promise<string[]> {
  const report = await fsck(options)
  expect(report.sound).toBe(report.findings.every(({ severity }) => severity !== 'error'))
  return report.findings.map(({ code, where }) => `${code} ${where}`)
}

function lie(path: string, change: (honest: Uint8Array) => Uint8Array | null): void {
  log.lies.set(path, (honest) => (honest === null ? null : change(honest)))
}

function flip(byte: number) {
  return (honest: Uint8Array) => {
    const changed = honest.slice()
    changed[byte] = (changed[byte] ?? 0) ^ 1
    return changed
  }
}

function didPath(did: string, file = 'did.jsonl'): string {
  return `/dids/${did.split(':')[2]}/${file}`
}

describe('an honest city', () => {
  test('is sound, and everything in it was looked at', async () => {
    const progress: string[] = []
    const onProgress: FsckOptions['onProgress'] = ({ stage, done, total }) => progress.push(`${stage} ${done}/${total}`)
    const report = await fsck({ onProgress })
    expect(report.findings).toEqual([])
    expect(report).toMatchObject({ sound: true, origin: 'city.example/log', size: log.size })
    expect(report.trust).toEqual({ key: 'the auditor’s', witnesses: 'the auditor’s' })
    expect(report.cosignedBy.map(({ name }) => name)).toEqual(['w1'])
    expect(report.counts).toMatchObject({ entries: log.size, opened: 6, unlisted: log.size - 6, dids: 3, anchors: 3 })
    expect(report.counts.checkpoints).toBe(3)
    expect(progress).toEqual([
      ...Array.from({ length: log.size }, (_, i) => `entries ${i + 1}/${log.size}`),
      ...[1, 2, 3].map((done) => `dids ${done}/3`),
    ])
  })

  test('is sound by its own word, and by its key alone', async () => {
    const fetchCity = fetchFromCity(log.url, { pausesMilliseconds: [] })
    const own = await fsckCity({ fetchCity, now: () => now })
    const trust = { key: 'the log’s own', witnesses: 'the log’s own' }
    expect(own).toMatchObject({ sound: true, trust, findings: [] })
    const byKey = await fsckCity({ fetchCity, now: () => now, vkey: log.vkey })
    // The witnesses that cosigned are still those of the city's choice.
    expect(byKey).toMatchObject({ sound: true, trust: { ...trust, key: 'the auditor’s' }, findings: [] })
  })

  test('is sound when its log is empty', async () => {
    const empty = await LyingLog.start()
    try {
      await empty.publish()
      const fetchCity = fetchFromCity(empty.url, { pausesMilliseconds: [] })
      expect(await fsckCity({ fetchCity, now: () => now })).toMatchObject({ sound: true, size: 0, findings: [] })
    } finally {
      await empty.stop()
    }
  })

  test('is sound when it grows while it is being looked at', async () => {
    let grown = false
    const honest = fetchFromCity(log.url, { pausesMilliseconds: [] })
    const report = await fsck({
      fetchCity: async (path, options) => {
        if (path === didPath(log.plain) && !grown) {
          grown = true
          await log.updateDid(log.plain, 10)
          log.addUnlisted(300)
          await log.publish({ anchored: true })
        }
        return honest(path, options)
      },
    })
    expect(report.findings).toEqual([])
    expect(report.counts).toMatchObject({ entries: log.size, opened: 7, anchors: 4, checkpoints: 4 })
  })

  test('answers after a fault that passes', async () => {
    let faults = 0
    const ask: typeof fetch = (input, init) => {
      if (faults++ % 3 === 0) return Promise.resolve(new Response('', { status: 503 }))
      return fetch(input, init)
    }
    const report = await fsck({ fetchCity: fetchFromCity(log.url, { fetch: ask, pausesMilliseconds: [0, 0] }) })
    expect(report.findings).toEqual([])
  })

  test('may keep back a version that waits for its witnesses', async () => {
    const { entries } = log.dids.get(log.witnessed) ?? { entries: [] }
    await log.updateDid(log.witnessed, 12)
    await log.publish()
    lie(didPath(log.witnessed), () => new TextEncoder().encode(formatDidLog(entries.slice(0, 2))))
    expect(await findings()).toEqual([])
  })
})

describe('the tree', () => {
  test('a flipped byte in a tile', async () => {
    lie('/log/tile/0/000', flip(40))
    expect(await findings()).toEqual(['tile-differs /log/tile/0/000'])
  })

  test('a flipped byte in the tile at the edge', async () => {
    const path = `/log/tile/0/002.p/${log.size % 256}`
    lie(path, flip(31))
    expect(await findings()).toEqual([`tile-differs ${path}`])
  })

  test('a flipped byte in a tile of the level above', async () => {
    lie('/log/tile/1/000.p/2', flip(3))
    expect(await findings()).toEqual(['tile-differs /log/tile/1/000.p/2'])
  })

  test('a flipped byte in an entry', async () => {
    lie('/log/tile/entries/001', flip(34 * 7 + 5))
    expect(await findings()).toEqual(['bundle-differs /log/tile/entries/001'])
  })

  test('an entry exchanged in both its bundle and its tile', async () => {
    lie('/log/tile/entries/001', flip(34 * 7 + 5))
    lie('/log/tile/0/001', flip(32 * 7))
    const found = await findings()
    expect(found).toContain('leaf-not-in-tree index 263')
    expect(found).toContain(`root-differs size ${log.size}`)
  })

  test('a tile that is missing, and one that is cut off', async () => {
    lie('/log/tile/0/000', () => null)
    lie('/log/tile/0/001', (honest) => honest.slice(0, 100))
    expect(await findings()).toEqual(['tile-missing /log/tile/0/000', 'tile-malformed /log/tile/0/001'])
  })

  test('a bundle that is missing, and one that is malformed', async () => {
    lie('/log/tile/entries/001', () => null)
    lie(`/log/tile/entries/002.p/${log.size % 256}`, (honest) => honest.slice(1))
    const found = await findings()
    expect(found).toContain('bundle-missing /log/tile/entries/001')
    expect(found).toContain(`bundle-malformed /log/tile/entries/002.p/${log.size % 256}`)
  })

  test('leaves that are missing altogether are told, and the rest is still looked at', async () => {
    lie('/log/tile/0/001', () => null)
    lie('/log/tile/entries/001', () => null)
    lie('/log/tile/entries/000', flip(5))
    const found = await findings()
    for (const code of ['tile-missing', 'bundle-missing', 'root-differs', 'bundle-differs'])
      expect(found.some((one) => one.startsWith(code))).toBe(true)
  })

  test('a tile that never ends is not read to its end', async () => {
    lie('/log/tile/0/000', () => new Uint8Array(1_000_000))
    expect(await findings()).toEqual(['unreachable /log/tile/0/000'])
  })
})

describe('the checkpoint', () => {
  test('of another root', async () => {
    const other = await LyingLog.start()
    other.addUnlisted(log.size)
    await other.publish()
    lie('/log/checkpoint', () => new TextEncoder().encode(other.note))
    await other.stop()
    expect(await findings()).toContain(`root-differs size ${log.size}`)
  })

  test('that does not exist, or is no note', async () => {
    lie('/log/checkpoint', () => null)
    expect(await findings()).toEqual(['checkpoint-missing /log/checkpoint'])
    lie('/log/checkpoint', () => json({}))
    const report = await fsck()
    expect(report).toMatchObject({ sound: false, origin: null, size: 0 })
    expect(report.findings.map(({ code }) => code)).toEqual(['checkpoint-malformed'])
  })

  test('without its cosignature', async () => {
    log.cosigned = false
    await log.publish()
    expect(await findings()).toEqual(['checkpoint-not-witnessed /log/checkpoint'])
  })

  test('with a cosignature that is not the witness’s', async () => {
    lie('/log/checkpoint', (honest) => flip(honest.length - 10)(honest))
    expect((await findings())[0]).toMatch(/^checkpoint-not-signed|^checkpoint-malformed/)
  })

  test('signed by another key than the one that is trusted', async () => {
    const other = (await LyingLog.start()) as LyingLog
    const vkey = other.vkey.replace(/^[^+]+/, 'other.example/log')
    await other.stop()
    expect((await findings({ vkey }))[0]).toBe('checkpoint-not-signed /log/checkpoint')
  })

  test('of a log that publishes no policy, when the auditor has none either', async () => {
    lie('/log/policy', () => null)
    const fetchCity = fetchFromCity(log.url, { pausesMilliseconds: [] })
    const { findings: found, sound } = await fsckCity({ fetchCity, now: () => now })
    expect(sound).toBe(false)
    expect(found.map(({ code }) => code)).toEqual(['policy-missing', 'checkpoint-not-signed'])
    const byKey = await fsckCity({ fetchCity, now: () => now, vkey: log.vkey })
    expect(byKey).toMatchObject({ sound: true, findings: [{ severity: 'warning', code: 'policy-missing' }] })
    expect(byKey.trust).toEqual({ key: 'the auditor’s', witnesses: null })
  })
})

describe('the checkpoints of before', () => {
  const relist = (change: (listed: { size: number; note: string }) => object) =>
    lie('/log/checkpoints', (honest) => {
      const { checkpoints, ...page } = JSON.parse(fromUtf8(honest))
      return json({ ...page, checkpoints: checkpoints.map(change) })
    })

  test('one of another root that was published between two anchors', async () => {
    log.addUnlisted(5)
    await log.publish()
    const forked = await LyingLog.start()
    forked.addUnlisted(log.size - 1)
    await forked.addDid(13)
    await forked.publish()
    const [{ size, note } = { size: 0, note: '' }] = forked.checkpoints
    await forked.stop()
    log.checkpoints.pop()
    log.checkpoints.push({ size, note })
    log.addUnlisted(40)
    await log.publish()
    expect(await findings()).toEqual([`checkpoint-differs size ${size}`])
  })

  test('one of another log, one listed under another size, and one that is no note', async () => {
    const [first, second, third] = log.checkpoints
    const stranger = await LyingLog.start('stranger.example/log')
    stranger.addUnlisted(first?.size ?? 0)
    await stranger.publish()
    await stranger.stop()
    relist((listed) => {
      if (listed.size === first?.size) return { size: listed.size, note: stranger.note }
      return { size: listed.size, note: listed.size === second?.size ? third?.note : 'no note' }
    })
    expect(await findings()).toEqual([
      `checkpoint-differs size ${first?.size}`,
      `checkpoint-malformed size ${second?.size}`,
      `checkpoint-malformed size ${third?.size}`,
      `checkpoint-not-covered size ${first?.size}`,
    ])
  })

  test('those that the keys and witnesses of today do not cover are told once, and leave the city sound', async () => {
    log.cosigned = false
    for (const _ of [1, 2]) {
      log.addUnlisted(2)
      await log.publish()
    }
    log.cosigned = true
    log.addUnlisted(2)
    await log.publish({ anchored: true })
    const report = await fsck()
    expect(report).toMatchObject({ sound: true, counts: { checkpoints: 6 } })
    expect(report.findings).toEqual([
      expect.objectContaining({
        severity: 'warning',
        code: 'checkpoint-not-covered',
        where: `size ${log.size - 4}`,
        what: expect.stringContaining('do not cover 2 older checkpoints'),
      }),
    ])
  })

  test('a city that does not list them is told of, and a list that goes in circles comes to an end', async () => {
    lie('/log/checkpoints', () => null)
    expect(await findings()).toEqual(['checkpoint-list-missing /log/checkpoints?min_size=0&limit=100'])
    lie('/log/checkpoints', (honest) => json({ ...JSON.parse(fromUtf8(honest)), next_min_size: 1 }))
    expect(await findings()).toEqual(['list-malformed /log/checkpoints?min_size=0&limit=100'])
  })
})

describe('the openings', () => {
  test('one that is left out', async () => {
    log.openings.splice(0, 1)
    const found = await findings()
    expect(found[0]).toBe('opening-missing index 3')
  })

  test('one that opens something else', async () => {
    const [first] = log.openings
    if (first !== undefined)
      log.openings[0] = { ...first, entry: { ...first.entry, versionTime: '2020-01-01T00:00:00Z' } }
    expect(await findings()).toContain('opening-wrong index 3')
  })

  test('one of an entry that is not in the log', async () => {
    const [first] = log.openings
    if (first !== undefined) log.openings.splice(2, 0, { ...first, index: 50 })
    expect((await findings()).some((one) => one.startsWith('opening-wrong index 50'))).toBe(true)
  })

  test('one that is called something else does not hide an entry of a DID', async () => {
    const last = log.openings.findLast(({ entry }) => entry === log.dids.get(log.plain)?.entries.at(-1))
    if (last === undefined) throw new Error('the test is wrong')
    last.kind = 'access-record'
    log.dids.get(log.plain)?.entries.pop()
    expect(await findings()).toEqual([`opening-wrong index ${last.index}`, `did-entry-hidden ${log.plain}`])
  })

  test('pages that go in circles come to an end', async () => {
    lie('/log/openings', (honest) => json({ ...(parseJson(fromUtf8(honest)) as object), next_from: 0 }))
    expect((await findings()).some((one) => one.startsWith('list-malformed /log/openings'))).toBe(true)
  })
})

describe('the histories of DIDs', () => {
  const served = (did: string) => log.dids.get(did)?.entries ?? []

  test('an entry left out of did.jsonl', async () => {
    lie(didPath(log.plain), () => new TextEncoder().encode(formatDidLog(served(log.plain).slice(0, -1))))
    expect(await findings()).toEqual([`did-entry-hidden ${log.plain}`])
  })

  test('an entry served that the log does not hold', async () => {
    await log.updateDid(log.plain, 10, { logged: false })
    expect(await findings()).toEqual([`did-entry-not-logged ${log.plain}`])
  })

  test('another entry served than the log holds', async () => {
    const [first, second, third] = served(log.plain)
    if (first === undefined || second === undefined || third === undefined) throw new Error('the test is wrong')
    const other = { ...second, versionTime: '2026-03-01T11:30:00Z' }
    lie(didPath(log.plain), () => new TextEncoder().encode(formatDidLog([first, other, third])))
    expect(await findings()).toEqual([`did-entry-differs ${log.plain}`])
  })

  test('no did.jsonl at all', async () => {
    lie(didPath(log.plain), () => null)
    expect(await findings()).toEqual([`did-log-missing ${didPath(log.plain)}`])
  })

  test('a forged entry in the log', async () => {
    const last = served(log.plain).at(-1)
    if (last === undefined) throw new Error('the test is wrong')
    log.addPublic({ ...last, versionId: `4-${last.versionId.slice(2)}`, versionTime: '2026-03-01T11:59:00Z' })
    await log.publish()
    expect(await findings()).toEqual([`did-chain-broken index ${log.size - 1}`])
  })

  test('a version served without the proof of its witness', async () => {
    lie(didPath(log.witnessed, 'did-witness.json'), () => json([]))
    expect(await findings()).toEqual([`did-not-witnessed ${log.witnessed}`])
  })

  test('a witnessed version that is kept back', async () => {
    lie(didPath(log.witnessed), () => new TextEncoder().encode(formatDidLog(served(log.witnessed).slice(0, 1))))
    expect(await findings()).toEqual([`did-entry-hidden ${log.witnessed}`])
  })
})

describe('the list of DIDs', () => {
  async function unloggedDid(): Promise<string> {
    const signer = await signerOf(30)
    const { did, entry } = await createDid({ signer, host: 'city.example', path: ['dids', '{SCID}'], now })
    log.dids.set(did, { entries: [entry], witness: null })
    return did
  }

  test('a DID listed and served, but never logged', async () => {
    expect(await findings()).toEqual([])
    const did = await unloggedDid()
    expect(await findings()).toEqual([`did-not-logged ${did}`])
  })

  test('a DID listed under another name than it has in the log', async () => {
    const other = `${log.plain}x`
    log.dids.set(other, { entries: [...(log.dids.get(log.plain)?.entries ?? [])], witness: null })
    expect(await findings()).toEqual([`did-not-logged ${other}`])
  })

  test('a DID that was registered just now may come under the next checkpoint', async () => {
    const did = await unloggedDid()
    const honest = fetchFromCity(log.url, { pausesMilliseconds: [] })
    let logged = false
    const fetchCity: FsckOptions['fetchCity'] = async (path, options) => {
      if (path === didPath(log.plain) && !logged) {
        logged = true
        for (const entry of log.dids.get(did)?.entries ?? []) log.addPublic(entry)
        await log.publish()
      }
      return honest(path, options)
    }
    expect(await findings({ fetchCity })).toEqual([])
    expect(logged).toBe(true)
  })

  test('no list: what is served but not logged cannot be found then, and that is told', async () => {
    lie('/dids', () => null)
    expect(await fsck()).toMatchObject({ sound: true, findings: [{ severity: 'warning', code: 'did-list-missing' }] })
  })

  test('a list that never ends is not read to its end', async () => {
    const honest = fetchFromCity(log.url, { pausesMilliseconds: [] })
    let pages = 0
    const fetchCity: FsckOptions['fetchCity'] = async (path, options) => {
      if (!path.startsWith('/dids?')) return honest(path, options)
      const first = 500 * pages++
      const dids = Array.from({ length: 500 }, (_, i) => ({ did: `did:webvh:${String(first + i).padStart(9, '0')}` }))
      return { status: 200, body: json({ dids, next_after: dids.at(-1)?.did }) }
    }
    const report = await fsck({ fetchCity })
    expect(report.findings[0]).toMatchObject({ severity: 'warning', code: 'did-list-missing' })
    expect(report.findings.length + report.moreFindings).toBe(1 + 250_000)
    expect(pages).toBe(501)
  })

  test.each([
    ['is no list', () => ({ dids: null, next_after: null })],
    ['goes in circles', () => ({ dids: [{ did: log.plain, version_id: '' }], next_after: log.plain })],
    ['has pages of nothing', () => ({ dids: [], next_after: 'did:webvh:z' })],
    ['has an endless DID', () => ({ dids: [{ did: `did:webvh:${'x'.repeat(1024)}` }], next_after: null })],
  ])('a list that %s', async (_, page) => {
    lie('/dids', () => json(page()))
    expect((await findings()).map((one) => one.split('?')[0])).toEqual(['list-malformed /dids'])
  })
})

describe('the anchors', () => {
  const anchorAt = (index: number) => log.anchors[index] ?? fail()

  test('of another root than the log, in the city’s word', async () => {
    log.anchors[1] = { ...anchorAt(1), root: toHex(new Uint8Array(32).fill(9)) }
    const { size } = anchorAt(1)
    expect(await findings()).toEqual([`anchor-differs size ${size}`, `anchor-differs size ${size}`])
  })

  test('of another root than the log, on the ledger', async () => {
    const head = log.ledger[1] ?? fail()
    log.ledger[1] = { ...head, root: new Uint8Array(32).fill(9) }
    expect((await findings()).every((one) => one === `anchor-differs size ${head.size}`)).toBe(true)
  })

  test('that the ledger does not hold', async () => {
    log.ledger.splice(1, 1)
    expect(await findings()).toEqual([`anchor-not-on-ledger size ${anchorAt(1).size}`])
  })

  test('that the city does not name', async () => {
    const { size } = anchorAt(1)
    log.anchors.splice(1, 1)
    expect(await findings()).toEqual([`anchor-hidden size ${size}`])
  })

  test('the newest may wait for its confirmations before the city names it', async () => {
    const { size } = anchorAt(2)
    log.anchors.pop()
    expect(await fsck()).toMatchObject({ sound: true, findings: [{ severity: 'warning', where: `size ${size}` }] })
  })

  test('of a log larger than the one that is shown', async () => {
    const hidden = log.size + 5
    log.ledger.push({ size: hidden, root: new Uint8Array(32), transaction: '0x00' })
    expect(await findings()).toEqual([`anchor-beyond-log size ${hidden}`])
  })

  test('in another contract than the one that is trusted', async () => {
    log.anchors[0] = { ...anchorAt(0), contract: `0x${'aa'.repeat(20)}` }
    expect(await findings()).toEqual([`anchor-elsewhere size ${anchorAt(0).size}`])
  })
})

test('what is wrong throughout fills neither the memory nor the report', async () => {
  lie('/log/openings', (honest) => honest)
  for (let i = 0; i < 1100; i++)
    log.ledger.push({ size: log.size + 1 + i, root: new Uint8Array(32), transaction: '0x00' })
  const report = await fsck()
  expect(report.findings.length).toBe(1000)
  expect(report.moreFindings).toBe(100)
  expect(report.sound).toBe(false)
})

function fail(): never {
  throw new Error('the test is wrong')
}
