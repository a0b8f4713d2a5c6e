import { join } from 'node:path'
import type { TestContext } from 'vitest'
import { openSite, type Site } from './city-process.ts'
import { expectNoIdentifiers } from './expect-no-identifiers.ts'
import { mountSmallDisk, type SmallDisk } from './small-disk.ts'

/** A disk of so many megabytes for one test; where there can be none, the test says why and is skipped. */
export async function mountOrSkip(context: TestContext, megabytes: number): Promise<SmallDisk> {
  const mounted = await mountSmallDisk(megabytes)
  if ('impossible' in mounted) {
    console.log(`skipped: ${mounted.impossible}`)
    return context.skip(mounted.impossible)
  }
  context.onTestFinished(() => mounted.remove())
  return mounted
}

/** A site on such a disk, which is cleared before the disk goes. */
export async function openSmallSite(context: TestContext, megabytes: number): Promise<{ disk: SmallDisk; site: Site }> {
  const disk = await mountOrSkip(context, megabytes)
  const site = await openSite({ dataDir: join(disk.folder, 'city') })
  context.onTestFinished(async () => {
    await site.clear()
    expectNoIdentifiers(site.logs())
  })
  return { disk, site }
}
