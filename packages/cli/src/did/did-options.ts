import type { Service, WitnessConfig } from '@tillit/client'
import { UsageError } from '../usage-error.ts'

/** Options that create and update have in common, as parseArgs takes them. */
export const contentOptions = {
  service: { type: 'string', multiple: true },
  witness: { type: 'string', multiple: true },
  threshold: { type: 'string' },
  watcher: { type: 'string', multiple: true },
  ttl: { type: 'string' },
} as const

export const fileOptions = {
  key: { type: 'string', default: 'did-key.json' },
  log: { type: 'string', default: 'did.jsonl' },
  register: { type: 'string' },
} as const

/** `city.example/dids/me` → its host and folders. */
export function parsePlace(place: string): { host: string; path: string[] } {
  const [host = '', ...path] = place.split('/')
  if (host === '' || path.includes('')) throw new UsageError(`${place} is not a place such as city.example/dids/me.`)
  return { host, path }
}

/** `name=Type=https://…` → the service `#name`. */
export function parseServices(texts: readonly string[]): (did: string) => Service[] {
  const parsed = texts.map((text) => {
    const [name, type, ...endpoint] = text.split('=')
    const serviceEndpoint = endpoint.join('=')
    if (!name || !type || !URL.canParse(serviceEndpoint))
      throw new UsageError(`${text} is not a service: name=Type=https://… is expected.`)
    return { name, type, serviceEndpoint }
  })
  return (did) => parsed.map(({ name, ...service }) => ({ id: `${did}#${name}`, ...service }))
}

/** All witnesses have to approve where no threshold is given. */
export function parseWitness(ids: readonly string[], threshold: string | undefined): WitnessConfig {
  return {
    threshold: threshold === undefined ? ids.length : parseCount(threshold, '--threshold'),
    witnesses: ids.map((id) => ({ id })),
  }
}

export function parseCount(text: string, option: string): number {
  if (!/^[0-9]{1,10}$/.test(text)) throw new UsageError(`${option} takes a number.`)
  return Number(text)
}

export function checkWatchers(urls: readonly string[]): readonly string[] {
  const wrong = urls.find((url) => !URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol))
  if (wrong !== undefined) throw new UsageError(`${wrong} is not the URL of a watcher.`)
  return urls
}
