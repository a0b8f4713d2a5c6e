import { once } from 'node:events'
import { parseArgs } from 'node:util'
import { parseVerifierKey, type VerifierKey } from '@tillit/log'
import { createWitness, openWitnessState, type ServedWitness, serveWitness, type WitnessEvent } from '@tillit/witness'
import { readPolicy } from './audit/trust-options.ts'
import { UsageError, wrongCall } from './usage-error.ts'
import { initWitness, witnessInitUsage } from './witness-init.ts'
import { readWitnessKeys } from './witness-keys.ts'
import { rotateWitness, witnessRotateUsage } from './witness-rotate.ts'

export const witnessUsage = `tillit witness --log VKEY [--log VKEY …] [--log-policy FILE] [--name NAME] [--state DIR]
               [--host HOST] [--port PORT]
  Runs the witness: it cosigns checkpoints of logs that follow from those it cosigned before (C2SP
  tlog-witness). Ctrl-C stops it.
  --log         the key of a log to witness; twice for one that changes its key
  --log-policy  a tlog-policy file whose logs to witness
  --name        refuse to run under another name than this
  --state       the folder of the witness (witness)
  --host        the address to listen on (127.0.0.1); put a proxy with TLS before it
  --port        the port to listen on (7380)`

export function usageOfWitness([verb]: string[]): string {
  if (verb === 'init') return witnessInitUsage
  if (verb === 'rotate') return witnessRotateUsage
  return [witnessInitUsage, witnessUsage, witnessRotateUsage].join('\n\n')
}

/** Exit status 0: stopped when asked to. */
export async function witness(args: string[]): Promise<number> {
  if (args[0] === 'init') return initWitness(args.slice(1))
  if (args[0] === 'rotate') return rotateWitness(args.slice(1))
  const { values } = parseArgs({
    args,
    options: {
      log: { type: 'string', multiple: true, default: [] },
      'log-policy': { type: 'string' },
      name: { type: 'string' },
      state: { type: 'string', default: 'witness' },
      host: { type: 'string', default: '127.0.0.1' },
      port: { type: 'string', default: '7380' },
    },
  })
  const logs = [...values.log.map(parseVerifierKey), ...(await logsOfPolicy(values['log-policy']))]
  if (logs.length === 0) throw wrongCall('No log is named: give --log or --log-policy.', usageOfWitness([]))
  const port = parsePort(values.port)
  const { name, signers } = await readWitnessKeys(values.state)
  if (values.name !== undefined && values.name !== name)
    throw new UsageError(`The witness in ${values.state} is ${name}, not ${values.name}.`)

  // Listened to before anything runs, so that a stop that comes early is not lost.
  const stopped = Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')])
  const state = await openWitnessState(values.state)
  try {
    const running = createWitness({ name, signers, logs, state, now: () => new Date(), report })
    const served = await serveOrExplain(() => serveWitness(running, { host: values.host, port, report: complain }))
    console.log(`The witness ${name} listens on ${served.url} for ${running.origins.join(', ')}. Ctrl-C stops it.`)
    await stopped
    await served.close()
  } finally {
    await state.close()
  }
  return 0
}

async function logsOfPolicy(file: string | undefined): Promise<VerifierKey[]> {
  if (file === undefined) return []
  return (await readPolicy(file)).logs.map(({ key }) => key)
}

function parsePort(text: string): number {
  const port = /^[0-9]{1,5}$/.test(text) ? Number(text) : Number.NaN
  if (!(port <= 65_535)) throw new UsageError(`${text} is not a port.`)
  return port
}

async function serveOrExplain(serve: () => Promise<ServedWitness>): Promise<ServedWitness> {
  try {
    return await serve()
  } catch (cause) {
    if (!(cause instanceof Error && 'syscall' in cause)) throw cause
    throw new UsageError(`The witness cannot listen there: ${cause.message}`, { cause })
  }
}

/** An operator reads of what is not as it should be; that a checkpoint was cosigned is told every second by its log. */
function report(event: WitnessEvent): void {
  switch (event.event) {
    case 'cosigned':
      return
    case 'inconsistent':
      console.error(`REFUSED: ${event.origin} at size ${event.size}: ${event.detail}. Kept as evidence.`)
      return
    case 'evidence-full':
      console.error(`The folder for evidence against ${event.origin} is full: look through it, and make room.`)
      return
    case 'failed':
      complain(event.error)
      return
  }
}

function complain(error: unknown): void {
  console.error(`The witness could not do its work: ${error instanceof Error ? error.message : String(error)}`)
}
