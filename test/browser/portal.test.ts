import type { Browser } from 'playwright-core'
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

test('a cancelled sign-in is said in words', async () => {
  const context = await browser.newContext()
  const page = await context.newPage()
  await page.goto(`${city.url}/portal/sign-in`)
  await page.getByRole('button', { name: 'Cancel' }).click()
  await page.getByText('The sign-in did not succeed, or was cancelled').waitFor()
  await context.close()
})
