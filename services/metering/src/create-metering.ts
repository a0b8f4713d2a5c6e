import type { TillitServer } from '@tillit/http'
import { meteringRoutes } from './plugin.ts'
import type { MeteringPorts } from './ports.ts'

export interface Metering {
  /** Fastify plugin: /metering-points, /devices, /access-records. */
  routes(app: TillitServer): Promise<void>
  start(): Promise<void>
  stop(): Promise<void>
}

/** Metering points, devices, readings and access records. Nothing runs in the background yet. */
export function createMetering(ports: MeteringPorts): Metering {
  return {
    routes: meteringRoutes(ports),
    start: async () => undefined,
    stop: async () => undefined,
  }
}
