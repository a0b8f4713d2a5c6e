import { readFile } from 'node:fs/promises'
import { CityError, connectCity, createMemoryWalletStore, openWallet, resolveThrough } from '@tillit/client'
import { verifyReceipt } from '@tillit/log'
import type { Permission, ReadingSeries, Receipt } from '@tillit/schemas'
import type { Browser, BrowserContext, Locator, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readQr } from '../../services/verifier/test/read-qr.ts'
import {
  adviserName,
  type CityWithARequest,
  citizenName,
  startCityWithARequest,
  utilityName,
} from './city-with-a-request.ts'
import { launchBrowser, type Watch, watchPage } from './launch-browser.ts'

let city: CityWithARequest
let browser: Browser
let page: Page
let watch: Watch

beforeAll(async () => {
  city = await startCityWithARequest()
  browser = await launchBrowser()
  page = await browser.newPage({ acceptDownloads: true })
  watch = await watchPage(page, city.url)
})

afterAll(async () => {
  await browser?.close()
  await city?.stop()
})

const cardIn = (section: string) =>
  page.getByRole('region', { name: section }).getByRole('article').filter({ hasText: adviserName })
const records = () => page.getByRole('listitem').filter({ hasText: adviserName })
const focused = () => page.evaluate('document.activeElement?.id')
const isInSight = (heading: string) =>
  page.getByRole('heading', { name: heading }).evaluate((element: unknown) => {
    const { top, bottom } = (
      element as { getBoundingClientRect(): { top: number; bottom: number } }
    ).getBoundingClientRect()
    return top >= 0 && bottom <= 720
  })
const lookAgain = async () => page.getByRole('button', { name: 'Look again' }).click()

/** The credentials in the browser's wallet, with the key of each and how many keys there are in all. */
function walletInBrowser(): Promise<{ key: string; extractable: boolean; keys: number }[]> {
  return page.evaluate(`(async () => {
    const done = (request) => new Promise((resolve) => { request.onsuccess = () => resolve(request.result) })
    const { name } = (await indexedDB.databases()).find(({ name }) => name.startsWith('tillit-wallet-'))
    const database = await done(indexedDB.open(name))
    const all = (store) => done(database.transaction(store).objectStore(store).getAll())
    const keys = await all('keys')
    const credentials = await all('credentials')
    database.close()
    return credentials.map(({ keyId }) => {
      const { pair } = keys.find(({ id }) => id === keyId)
      return { key: keyId, extractable: pair.privateKey.extractable, keys: keys.length }
    })
  })()`)
}

const naturalWidth = (element: unknown) => (element as { naturalWidth: number }).naturalWidth

async function offerElsewhere(on: Page): Promise<Locator> {
  await on.getByRole('button', { name: 'Put it into another wallet' }).click()
  const offer = on.getByRole('article', { name: 'For your other wallet' })
  await offer.getByRole('link').waitFor()
  return offer
}

/** The link, the code as it is read, and the code as it is heard. */
async function shownIn(offer: Locator): Promise<{ link: string; code: string; heard: string }> {
  const link = await offer.getByRole('link', { name: 'Open it in a wallet on this device' }).getAttribute('href')
  return {
    link: link ?? '',
    code: await offer.locator('.code > [aria-hidden]').innerText(),
    heard: await offer.locator('.code > :not([aria-hidden])').innerText(),
  }
}

/** A wallet that is not in this browser, and has nothing of its session. */
function walletElsewhere() {
  const anyone = connectCity({ url: city.url })
  return openWallet({
    store: createMemoryWalletStore(),
    resolveDid: (did, options) => resolveThrough(anyone, did, options),
  })
}

/** The citizen in a browser of its own, the proof in its wallet, and its clock in our hands. */
async function signedInElsewhere(): Promise<{ context: BrowserContext; page: Page }> {
  const context = await browser.newContext()
  const other = await context.newPage()
  await other.clock.install()
  await other.goto(`${city.url}/portal/sign-in`)
  await other.getByRole('button', { name: citizenName }).click()
  await other.getByRole('article', { name: 'Metering point entitlement' }).waitFor()
  return { context, page: other }
}

function read(granularity: string): Promise<ReadingSeries> {
  const to = new Date(Math.floor(Date.now() / 86_400_000) * 86_400_000)
  const from = new Date(to.getTime() - 7 * 86_400_000)
  return city.adviser.get(`/metering-points/${city.meteringPointId}/readings`, {
    query: { from: from.toISOString(), to: to.toISOString(), granularity },
  })
}

async function refusalOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'not refused',
    (error) => (error instanceof CityError ? error.code : String(error)),
  )
}

test('before anybody said yes the adviser gets nothing', async () => {
  expect(await refusalOf(read('P1D'))).toBe('access-denied')
})

test('the citizen signs in, sees her own days, and receives the proof that the meter is hers', async () => {
  await page.goto(city.url)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('button', { name: citizenName }).click()
  await page.getByRole('img', { name: /^Daily use between/ }).waitFor()
  await page.getByRole('heading', { name: 'Metering point entitlement' }).waitFor()
  await page.getByText('You are its').waitFor()
  const credential = page.getByRole('article', { name: 'Metering point entitlement' })
  await credential.getByText(utilityName).waitFor()
  await credential.getByText(/^did:webvh:/).waitFor()
})

test('another proof takes the place of the first, under a new key that cannot leave the browser', async () => {
  const [before] = await walletInBrowser()
  await page.getByRole('button', { name: 'Get it anew' }).click()
  const isNew = async () =>
    (await walletInBrowser()).map(({ key, ...rest }) => ({ isNew: key !== before?.key, ...rest }))
  await expect.poll(isNew).toEqual([{ isNew: true, extractable: false, keys: 1 }])
  await expect.poll(() => page.getByRole('article', { name: 'Metering point entitlement' }).count()).toBe(1)
})

test('she puts the proof into another wallet, with the picture or the link and a code', async () => {
  const offer = await offerElsewhere(page)
  await expect.poll(() => page.evaluate('document.activeElement?.textContent')).toBe('For your other wallet')
  const picture = offer.getByRole('img', { name: 'QR code' })
  await expect.poll(() => picture.evaluate(naturalWidth)).toBeGreaterThan(0)
  const { y, height } = (await picture.boundingBox()) ?? { y: -1, height: 0 }
  expect(y).toBeGreaterThanOrEqual(0)
  expect(y + height).toBeLessThanOrEqual(page.viewportSize()?.height ?? 0)
  const { link, code, heard } = await shownIn(offer)
  expect(code).toMatch(/^\d{6}$/)
  expect(heard).toBe([...code].join(', '))
  const drawn = await fetch((await picture.getAttribute('src')) ?? '')
  expect(readQr(await drawn.text())).toBe(link)
  await offer.getByText('It can be taken for about 10 minutes more.').waitFor()

  await offer.getByRole('button', { name: 'Look again' }).click()
  await offer.getByRole('status').filter({ hasText: 'no wallet had taken it yet' }).waitFor()
  const phone = walletElsewhere()
  expect(await refusalOf(phone.openOffer(link).then((opened) => phone.receive(opened)))).toContain('needs the code')
  await phone.receive(await phone.openOffer(link), { txCode: code })
  const [received, ...more] = await phone.list()
  expect(more).toEqual([])
  expect(received).toMatchObject({
    ...{ type: 'MeteringPointEntitlement', claims: { metering_point: city.meteringPointId, role: 'holder' } },
  })

  await offer.getByRole('button', { name: 'Look again' }).click()
  await offer.getByRole('status').filter({ hasText: 'Your other wallet received it.' }).waitFor()
  expect(await offer.getByRole('img').count()).toBe(0)
  expect(await page.content()).not.toContain(heard)
  expect(await page.getByRole('article', { name: 'Metering point entitlement' }).count()).toBe(1)
})

test('an offer to another wallet that she takes back opens nothing any more', async () => {
  const offer = await offerElsewhere(page)
  const { link, code, heard } = await shownIn(offer)
  const phone = walletElsewhere()
  const opened = await phone.openOffer(link)
  await offer.getByRole('button', { name: 'Take it back' }).click()
  await offer.getByRole('status').filter({ hasText: 'Taken back.' }).waitFor()
  expect(await page.content()).not.toContain(heard)
  await expect(phone.receive(opened, { txCode: code })).rejects.toThrow()
  await expect(walletElsewhere().openOffer(link)).rejects.toThrow()
  expect(await phone.list()).toEqual([])
})

test('an offer that was received before she takes it back is not said to be taken back', async () => {
  const offer = await offerElsewhere(page)
  const { link, code } = await shownIn(offer)
  const phone = walletElsewhere()
  await phone.receive(await phone.openOffer(link), { txCode: code })
  await offer.getByRole('button', { name: 'Take it back' }).click()
  await offer.getByRole('status').filter({ hasText: 'Your other wallet received it.' }).waitFor()
})

test('an offer fits at 360 pixels, also with large text', async () => {
  const offer = await offerElsewhere(page)
  await page.setViewportSize({ width: 360, height: 700 })
  expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(360)
  await page.evaluate("document.documentElement.style.fontSize = '200%'")
  expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(360)
  await page.evaluate("document.documentElement.style.fontSize = ''")
  await page.setViewportSize({ width: 1280, height: 720 })
  await offer.getByRole('button', { name: 'Take it back' }).click()
  await offer.getByRole('status').filter({ hasText: 'Taken back.' }).waitFor()
})

test('she sees who asks, why and what it reveals, and cannot accept without choosing how much', async () => {
  const card = cardIn('Waiting for your answer')
  for (const words of ['hourly values', 'Energy advice', 'When you wake, leave, charge a car', '30 days']) {
    await card.getByText(words).first().waitFor()
  }
  await card.getByText('Verified organisation').waitFor()
  await card.getByRole('listitem').filter({ hasText: utilityName }).waitFor()
  expect(await card.getByRole('radio', { checked: true }).count()).toBe(0)
  expect(await card.getByRole('checkbox', { checked: true }).count()).toBe(0)
  await card.getByRole('button', { name: 'Accept' }).click()
  await card.getByText('First choose how much detail you give.').waitFor()
})

test('she gives daily values only, and the adviser reads days but not hours', async () => {
  const card = cardIn('Waiting for your answer')
  await card.getByRole('radio', { name: /Daily values only/ }).check()
  await card.getByRole('button', { name: 'Accept' }).click()
  await cardIn('Who has access').getByText('Daily values, less than they asked for').waitFor()
  await page
    .getByRole('status')
    .filter({ hasText: `You gave ${adviserName} access` })
    .waitFor()
  await expect.poll(focused).toBe('access')
  expect(await isInSight('Who has access')).toBe(true)
  const permission = await city.adviser.get<Permission>(`/permissions/${city.request.id}`)
  expect(permission.state).toBe('ACTIVE')
  expect(permission.scope?.finest_granularity).toBe('P1D')
  expect(permission.scope?.purpose).toEqual([{ code: 'energy-advice', required: true }])
  expect((await read('P1D')).readings.length).toBeGreaterThanOrEqual(6)
  expect(await refusalOf(read('PT1H'))).toBe('access-denied')
})

test('she sees both attempts, and proves one of them in her browser', async () => {
  await lookAgain()
  await records().filter({ hasText: 'The detail asked for is finer than you allowed' }).waitFor()
  const record = records().filter({ hasText: '(daily values)' })
  // The log takes a record within a second or so; the page says so and is asked again.
  await expect
    .poll(
      async () => {
        await record.getByRole('button', { name: 'Prove it' }).click()
        await record.getByText(/Verified in this browser|has not taken this record yet/).waitFor()
        return record.getByText('Verified in this browser').count()
      },
      { timeout: 20_000 },
    )
    .toBe(1)
  await record
    .getByText(/anchor pending|block \d+ of chain/i)
    .first()
    .waitFor()
})

test('an open proof says what was not checked, and stays open when the list is read again', async () => {
  const record = records().filter({ hasText: '(daily values)' })
  await record.getByText(/^The ledger:/).waitFor()
  await record.getByText(/^npx tillit verify tillit-receipt-\S+\.json$/).waitFor()
  expect(await refusalOf(read('PT1H'))).toBe('access-denied')
  const before = await records().count()
  await lookAgain()
  await expect.poll(() => records().count()).toBeGreaterThan(before)
  expect(await record.getByText('Verified in this browser').count()).toBe(1)
})

test('with everything open nothing is cut off at 360 pixels', async () => {
  await page.setViewportSize({ width: 360, height: 700 })
  expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(360)
  await page.setViewportSize({ width: 1280, height: 720 })
})

test('looking at the page once makes one record of her own read', async () => {
  const ownReads = () =>
    page.evaluate(`fetch('/portal/api/access-records?limit=100', { headers: { 'x-tillit-portal': '1' } })
      .then((r) => r.json()).then((r) => r.access_records.filter((one) => one.caller === 'customer').length)`)
  expect(await ownReads()).toBe(1)
  await page.reload()
  await page.getByRole('img', { name: /^Daily use between/ }).waitFor()
  await lookAgain()
  expect(await ownReads()).toBe(2)
})

test('a log key other than the first one is said loudly, and proves nothing until she trusts it', async () => {
  await page.evaluate("localStorage.setItem('tillit-log-key', '2026-01-01T00:00:00.000Z other+00000000+AAAA')")
  await page.reload()
  const alarm = page.getByRole('alert').filter({ hasText: 'The key of the city’s log has changed' })
  await alarm.waitFor()
  const record = records().filter({ hasText: '(daily values)' })
  await record.getByRole('button', { name: 'Prove it' }).click()
  await record.getByText(/^Not proved: the log signs with another key/).waitFor()
  await alarm.getByRole('button', { name: 'Trust the new key' }).click()
  await expect.poll(focused).toBe('content')
  await record.getByRole('button', { name: 'Prove it' }).click()
  await record.getByText('Verified in this browser').waitFor()
  expect(await alarm.count()).toBe(0)
})

test('the receipt she downloads verifies without the city', async () => {
  const record = records().filter({ hasText: '(daily values)' })
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    record.getByRole('button', { name: 'Download receipt' }).click(),
  ])
  const receipt = JSON.parse(await readFile(await download.path(), 'utf8')) as Receipt
  expect(receipt).toMatchObject({ type: 'tillit-receipt/v1', city: city.url })
  expect(verifyReceipt(receipt).commitment).toBe(receipt.opening.commitment)
})

test('she stops sharing in one step, and the next read is refused', async () => {
  await cardIn('Who has access').getByRole('button', { name: 'Stop sharing' }).click()
  await page.getByText(`Stopped. ${adviserName} can no longer read your data.`).waitFor()
  await expect.poll(focused).toBe('access')
  expect(await isInSight('Who has access')).toBe(true)
  expect(await refusalOf(read('P1D'))).toBe('access-denied')
  await page.getByText('Nobody has access to your data on your permission.').waitFor()
  await lookAgain()
  await expect.poll(() => page.getByText(`Stopped. ${adviserName}`).count()).toBe(0)
})

test('in a new browser a new key is made and bound, and it may answer as the old one did', async () => {
  const again = await city.adviser.post<Permission>('/permission-requests', { scope: city.request.requested_scope })
  const context = await browser.newContext()
  const elsewhere = await context.newPage()
  const entitlement = Promise.withResolvers<void>()
  await elsewhere.route('**/openid4vci/credential', async (route) => {
    await entitlement.promise
    await route.continue()
  })
  await elsewhere.goto(`${city.url}/portal/sign-in`)
  await elsewhere.getByRole('button', { name: citizenName }).click()
  const card = elsewhere.getByRole('article').filter({ hasText: 'How much detail do you give?' })
  await card.getByRole('button', { name: 'Refuse' }).click()
  await elsewhere.getByText(`You refused ${adviserName}`).waitFor()
  // What arrives by itself has a place of its own, and leaves these words where they are.
  entitlement.resolve()
  await elsewhere.getByText('is now in your wallet').waitFor()
  expect(await elsewhere.getByText(`You refused ${adviserName}`).isVisible()).toBe(true)
  expect((await city.adviser.get<Permission>(`/permissions/${again.id}`)).state).toBe('REJECTED')
  await context.close()
})

test('what fails around an offer is said and can be tried again, and when its time is up nothing of it is shown', async () => {
  const { context, page: other } = await signedInElsewhere()
  const lost = /Check your connection and try again/
  const failing = async (address: string, work: () => Promise<unknown>, words: string | RegExp) => {
    await other.route(address, (route) => route.abort())
    await work()
    await other.getByRole('alert').filter({ hasText: words }).waitFor()
    await other.unroute(address)
  }
  const put = other.getByRole('button', { name: 'Put it into another wallet' })
  await failing('**/portal/api/openid4vci/offers', () => put.click(), lost)
  await failing('**/qr.svg', () => put.click(), 'The picture did not arrive')
  const offer = other.getByRole('article', { name: 'For your other wallet' })
  await offer.getByRole('button', { name: 'Try again' }).click()
  await expect.poll(() => offer.getByRole('img').evaluate(naturalWidth)).toBeGreaterThan(0)
  const lookAtOffer = () => offer.getByRole('button', { name: 'Look again' }).click()
  await failing('**/portal/api/openid4vci/offers?*', lookAtOffer, lost)
  await failing(
    '**/portal/api/openid4vci/offers/*',
    () => offer.getByRole('button', { name: 'Take it back' }).click(),
    lost,
  )
  await lookAtOffer()
  await offer.getByRole('status').filter({ hasText: 'no wallet had taken it yet' }).waitFor()
  expect(await other.getByRole('alert').count()).toBe(0)
  const { link, heard } = await shownIn(offer)
  expect((await walletElsewhere().openOffer(link)).offer.configurationIds).toEqual(['MeteringPointEntitlement'])
  await other.clock.fastForward('09:30')
  await offer.getByText('It can be taken for less than a minute more.').waitFor()
  await other.clock.fastForward('00:45')
  await offer.getByText('The time is up. Look again to see').waitFor()
  expect(await other.content()).not.toContain(heard)
  expect(await offer.getByRole('link').count()).toBe(0)
  await context.close()
})

test('a page of hers makes no offer for somebody who has signed in since, and does not come back by the back button', async () => {
  const { context, page: left } = await signedInElsewhere()
  const tab = await context.newPage()
  await tab.goto(`${city.url}/portal/`)
  await tab.getByRole('button', { name: 'Sign out' }).click()
  await tab.getByRole('button', { name: 'Yes, sign me out' }).click()
  await tab.getByRole('button', { name: 'Sign in' }).click()
  await tab.getByRole('button', { name: 'Ola Hansen' }).click()
  await tab.getByRole('heading', { name: 'Your meter data' }).waitFor()

  await left.getByRole('button', { name: 'Put it into another wallet' }).click()
  await left.getByRole('alert').filter({ hasText: 'Somebody else has signed in' }).waitFor()
  expect(await left.getByRole('article', { name: 'For your other wallet' }).count()).toBe(0)
  await left.getByRole('article', { name: 'Metering point entitlement' }).waitFor()
  await left.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
  await left.getByText('Your wallet holds no proof').waitFor()
  await context.close()
})

test('all the while the page kept to its policy and asked nobody else', () => {
  expect(watch.strayRequests).toEqual([])
  expect(watch.faults.filter((fault) => !fault.includes('404 (Not Found)'))).toEqual([])
})
