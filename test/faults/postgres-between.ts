import { connect as connectSocket, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import pg from 'pg'

/** What one transaction wrote: `insert registry.leaves`, `update registry.dids`, each once, in the order of its statements. */
export type Write = readonly string[]

/**
 * What becomes of a write. Both are a connection that breaks: before PostgreSQL was told to commit, or after it had
 * committed and before its client could hear of it.
 */
export const fates = ['failed', 'failed but persisted'] as const
export type Fate = (typeof fates)[number]

export interface Cut {
  readonly of: (write: Write) => boolean
  readonly fate: Fate
  /** Called at the cut, while neither side can go on: the client still waits for the answer. */
  readonly onCut?: () => void
  /** Whether every other connection breaks too and none is taken again until `restore`: the client is as good as dead. */
  readonly forGood: boolean
}

/** A way to PostgreSQL that understands what passes, and breaks where it is told to. */
export interface PostgresBetween {
  readonly url: string
  /** Everything that was committed through it. */
  readonly writes: readonly Write[]
  /** Resolves when the next write of this kind has met its fate. */
  cutAt(cut: Cut): Promise<void>
  /** Whether all connections are broken and none is taken. */
  readonly broken: boolean
  /** Breaks all connections and takes none until `restore`. */
  breakAll(): void
  restore(): void
  close(): Promise<void>
}

export async function openPostgresBetween(url: string): Promise<PostgresBetween> {
  // The driver knows best what its URLs mean.
  const { host, port, user, password, database } = new pg.Client({ connectionString: url })
  const target = host.startsWith('/') ? { path: join(host, `.s.PGSQL.${port}`) } : { host, port }
  const writes: Write[] = []
  const open = new Set<Socket>()
  let away = false
  let armed: (Cut & { done: () => void }) | null = null

  const server = createServer({ noDelay: true }, (client) => {
    if (away) return void client.destroy()
    const upstream = connectSocket(target)
    for (const socket of [client, upstream]) {
      open.add(socket)
      socket.on('error', () => undefined) // 'close' follows
      socket.on('close', () => {
        open.delete(socket)
        client.destroy()
        upstream.destroy()
      })
    }
    relay(client, upstream)
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port was given')
  const login = [user, password].flatMap((part) => (part ? [encodeURIComponent(part)] : [])).join(':')

  return {
    url: `postgresql://${login}@127.0.0.1:${address.port}/${database}`,
    writes,
    get broken() {
      return away
    },
    cutAt: (cut) =>
      new Promise((done) => {
        armed = { ...cut, done }
      }),
    breakAll,
    restore() {
      away = false
    },
    close: async () => {
      breakAll()
      await new Promise((closed) => server.close(closed))
    },
  }

  function breakAll(): void {
    away = true
    for (const socket of open) socket.destroy()
  }

  function relay(client: Socket, upstream: Socket): void {
    const transaction = createTransaction()
    /** Set while the answer to a write is held back. */
    let held: { readonly write: Write; readonly cut: typeof armed } | null = null
    let unread: Buffer = Buffer.alloc(0)
    const requests = createFrames({ startsUntyped: true })
    /** What a client sends up to the message that has it executed goes on together, or not at all. */
    const waiting: Buffer[] = []

    client.on('data', (chunk) => {
      for (const frame of requests(chunk)) {
        waiting.push(frame.bytes)
        if (!transaction.hear(frame)) continue
        const write = transaction.commits()
        const cut = write !== null && armed?.of(write) ? armed : null
        if (cut?.fate === 'failed') return meetFate(cut)
        if (write !== null) held = { write, cut }
        for (const bytes of waiting.splice(0)) upstream.write(bytes)
      }
    })
    upstream.on('data', (chunk) => {
      if (held === null) return void client.write(chunk)
      unread = Buffer.concat([unread, chunk])
      const answer = readAnswer(unread)
      if (answer === 'incomplete') return
      const { write, cut } = held
      const bytes = unread
      held = null
      unread = Buffer.alloc(0)
      if (answer === 'done') writes.push(write)
      // Refused by PostgreSQL itself: then nothing was persisted, and the cut waits for the next one.
      if (answer === 'done' && cut !== null && cut === armed) return meetFate(cut)
      client.write(bytes)
    })

    function meetFate(cut: NonNullable<typeof armed>): void {
      armed = null
      cut.onCut?.()
      if (cut.forGood) breakAll()
      client.destroy()
      upstream.destroy()
      cut.done()
    }
  }
}

interface Frame {
  /** Empty for the first message of a connection, which has none. */
  readonly type: string
  readonly body: Buffer
  readonly bytes: Buffer
}

/** Cuts a stream into messages (PostgreSQL documentation, "Message Formats"). */
function createFrames({ startsUntyped }: { startsUntyped: boolean }): (chunk: Buffer) => Frame[] {
  let buffer = Buffer.alloc(0)
  let untyped = startsUntyped
  return (chunk) => {
    buffer = Buffer.concat([buffer, chunk])
    const frames: Frame[] = []
    for (;;) {
      const head = untyped ? 0 : 1
      if (buffer.length < head + 4) return frames
      const length = head + buffer.readInt32BE(head)
      if (buffer.length < length) return frames
      const bytes = buffer.subarray(0, length)
      frames.push({ type: bytes.toString('latin1', 0, head), body: bytes.subarray(head + 4), bytes })
      buffer = buffer.subarray(length)
      untyped = false
    }
  }
}

/** Whether a whole answer is there, and whether it told of an error. It ends with ReadyForQuery. */
function readAnswer(bytes: Buffer): 'incomplete' | 'done' | 'refused' {
  const frames = createFrames({ startsUntyped: false })(bytes)
  if (!frames.some(({ type }) => type === 'Z')) return 'incomplete'
  return frames.some(({ type }) => type === 'E') ? 'refused' : 'done'
}

/** Follows one connection: which statements run, and what their transaction has written when it commits. */
function createTransaction() {
  const prepared = new Map<string, string>()
  let asked: string[] = []
  let written: string[] = []
  let inside = false
  let committing: Write | null = null
  return { hear, commits: () => committing }

  /** Whether the message is one that has what came before it executed. */
  function hear({ type, body }: Frame): boolean {
    committing = null
    if (type === 'P') {
      const [name = '', text = ''] = strings(body)
      prepared.set(name, text)
    } else if (type === 'B') {
      const [, name = ''] = strings(body)
      asked.push(prepared.get(name) ?? '')
    } else if (type === 'Q') {
      asked.push(strings(body)[0] ?? '')
    }
    if (type === 'P' || type === 'B' || type === 'D' || type === 'E') return false
    for (const text of asked) follow(text)
    asked = []
    return true
  }

  function follow(text: string): void {
    if (/^\s*(begin|start transaction)\b/i.test(text)) {
      inside = true
      written = []
      return
    }
    if (/^\s*(commit|rollback)\s*;?\s*$/i.test(text)) {
      if (/commit/i.test(text) && written.length > 0) committing = [...new Set(written)]
      inside = false
      written = []
      return
    }
    written.push(...writesOf(text))
    if (inside) return
    if (written.length > 0) committing = [...new Set(written)]
    written = []
  }
}

const writing = /\b(?:(insert)\s+into|(update)|(delete)\s+from)\s+("?\w+"?\."?\w+"?)/gi

function writesOf(text: string): string[] {
  return [...text.matchAll(writing)].map(
    ([, insert, update, remove, table = '']) =>
      `${(insert ?? update ?? remove ?? '').toLowerCase()} ${table.replaceAll('"', '')}`,
  )
}

/** The strings at the beginning of a message, each ended by a zero byte. */
function strings(body: Buffer): string[] {
  return body.toString('utf8').split('\0', 2)
}
