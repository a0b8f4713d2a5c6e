import { accreditation } from './j1-accreditation.ts'
import { device, type Home } from './j2-device.ts'
import { citizenSignsIn } from './j3-sign-in.ts'
import { consent } from './j4-consent.ts'
import { delegation } from './j5-delegation.ts'
import { revocation } from './j6-revocation.ts'
import { lookingBack } from './j7-looking-back.ts'
import type { Scene } from './scene.ts'
import type { Stage } from './stage.ts'

const dayMilliseconds = 86_400_000
/** Days of readings that the meter publishes when no file is given. */
const historyDays = 70

/** A file of real readings in place of the made-up ones: when it is from, and how it gets into the city. */
export interface RealData {
  timeZone: string
  from: Date
  to: Date
  importTo(home: Home, stage: Stage): Promise<void>
}

/** J1 to J7 in order, in one city; each hands on to the next what it made. */
export async function play(scene: Scene, stage: Stage, data: RealData | null): Promise<void> {
  await accreditation(scene, stage)
  const today = Math.floor(Date.now() / dayMilliseconds) * dayMilliseconds
  const span = data ?? {
    timeZone: 'Europe/Oslo',
    from: new Date(today - historyDays * dayMilliseconds),
    to: new Date(today),
  }
  const home = await device(scene, stage, { ...span, own: data === null })
  if (data !== null) await data.importTo(home, stage)
  const citizen = await citizenSignsIn(scene, stage, home)
  const permission = await consent(scene, stage, { home, citizen })
  await delegation(scene, stage, { home, citizen, permission })
  await revocation(scene, stage, { home, citizen, permission })
  await lookingBack(scene, stage, citizen)
}
