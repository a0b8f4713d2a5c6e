import { fromBase64url, toBase64url } from '@tillit/codec'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { launchBrowser, watchPage } from './launch-browser.ts'
import { persona, type SmallCity, startSmallCity } from './small-city.ts'

let city: SmallCity
let browser: Browser

beforeAll(async () => {
  city = await startSmallCity()
  browser = await launchBrowser()
})

afterAll(async () => {
  await browser?.close()
  await city?.close()
})

test('a stranger sees what the page is for, within its policy and without a request to anyone else', async () => {
  const page = await browser.newPage()
  const watch = await watchPage(page, city.url)
  await page.goto(city.url)
  expect(page.url()).toBe(`${city.url}/portal/`)
  await page.getByRole('heading', { name: 'Your meter, your decision' }).waitFor()
  expect(await page.getByRole('button', { name: 'Sign in' }).isEnabled()).toBe(true)
  expect(watch).toEqual({ faults: [], strayRequests: [] })
  await page.close()
})

test('an inline script is stopped by the policy, so the watch above can fail', async () => {
  const page = await browser.newPage()
  const watch = await watchPage(page, city.url)
  await page.goto(`${city.url}/portal/`)
  await page.evaluate(
    "document.head.append(Object.assign(document.createElement('script'), { textContent: 'window.broken = 1' }))",
  )
  expect(await page.evaluate('window.broken')).toBeUndefined()
  expect(watch.faults.join()).toContain('script-src')
  await page.close()
})

test('at 360 pixels nothing is cut off', async () => {
  const page = await browser.newPage({ viewport: { width: 360, height: 700 } })
  await page.goto(`${city.url}/portal/`)
  await page.getByRole('button', { name: 'Sign in' }).waitFor()
  expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(360)
  await page.close()
})

test('a person signs in, asks the city in their own name, and signs out', async () => {
  const context = await browser.newContext()
  const page = await context.newPage()
  await page.goto(`${city.url}/portal/`)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('button', { name: persona.name }).click()
  await page.getByRole('heading', { name: 'Your meter data' }).waitFor()
  expect(await page.evaluate("fetch('/portal/session').then((r) => r.json())")).toEqual({
    ...{ signed_in: true, customer: persona.customerId },
  })
  expect(await page.evaluate('document.cookie')).toBe('')

  const echo = await page.evaluate(`fetch('/portal/api/permissions/echo?a=1', {
    method: 'POST', body: '{"b":1}', headers: { 'content-type': 'application/json', 'x-tillit-portal': '1', 'x-other': '1' },
  }).then((r) => r.json())`)
  expect(echo).toMatchObject({
    ...{ caller: { kind: 'customer', id: persona.customerId, clientId: 'portal' }, query: { a: '1' }, body: { b: 1 } },
  })
  const { headers } = echo as { headers: string[] }
  expect(headers).toContain('dpop')
  for (const name of ['cookie', 'origin', 'referer', 'x-other', 'x-tillit-portal']) expect(headers).not.toContain(name)

  await page.getByRole('button', { name: 'Sign out' }).click()
  await page.waitForURL(/\/oauth\//)
  expect(page.url()).not.toContain(persona.customerId)
  await page.getByRole('button', { name: 'Yes, sign me out' }).click()
  await page.getByRole('button', { name: 'Sign in' }).waitFor()
  expect(page.url()).toBe(`${city.url}/portal/`)
  await context.close()
})

test('an access token that has run out is renewed without the person noticing', async () => {
  const { context, page, secret } = await signedIn()
  const session = await city.sessions.find(secret)
  if (session === null) throw new Error('the session of the cookie is not there')
  await city.sessions.replace(secret, { ...session, expiresAtSeconds: 0 })
  expect(await page.evaluate("fetch('/portal/session').then((r) => r.json())")).toMatchObject({ signed_in: true })
  const renewed = await city.sessions.find(secret)
  expect(renewed?.accessToken).not.toBe(session.accessToken)
  expect(renewed?.expiresAtSeconds).toBeGreaterThan(Date.now() / 1000)
  await context.close()
})

test('a session that ended while the page was open is begun again by itself', async () => {
  const { context, page, secret } = await signedIn()
  await city.sessions.end(secret)
  await page.getByRole('button', { name: 'Look again' }).click()
  await expect.poll(async () => toBase64url(await secretOf(context))).not.toBe(toBase64url(secret))
  await page.getByRole('heading', { name: 'Your meter data' }).waitFor()
  expect(await city.sessions.find(await secretOf(context))).toMatchObject({ customer: persona.customerId })
  await context.close()
})

test('a cancelled sign-in is said in words', async () => {
  const context = await browser.newContext()
  const page = await context.newPage()
  await page.goto(`${city.url}/portal/sign-in`)
  await page.getByRole('button', { name: 'Cancel' }).click()
  await page.getByText('The sign-in did not succeed, or was cancelled').waitFor()
  await context.close()
})

async function signedIn(): Promise<{ context: BrowserContext; page: Page; secret: Uint8Array }> {
  const context = await browser.newContext()
  const page = await context.newPage()
  await page.goto(`${city.url}/portal/sign-in`)
  await page.getByRole('button', { name: persona.name }).click()
  await page.getByRole('heading', { name: 'Your meter data' }).waitFor()
  return { context, page, secret: await secretOf(context) }
}

async function secretOf(context: BrowserContext): Promise<Uint8Array> {
  const cookies = await context.cookies(`${city.url}/portal/`)
  const cookie = cookies.find(({ name }) => name === 'tillit_session')
  expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'Lax', path: '/portal' })
  return fromBase64url(cookie?.value ?? '')
}
