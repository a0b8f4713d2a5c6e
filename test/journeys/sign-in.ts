import { type City, connectCity } from '@tillit/client'
import { Browser, form } from '../../services/authorization/test/browser.ts'

/** A persona who is signed in to the portal. */
export interface SignedIn {
  /** The portal's way to the city in that person's name. */
  city: City
  customer: string
  browser: Browser
}

/** Signs a persona in to the portal as a browser does. */
export async function signIn(cityUrl: string, persona: string): Promise<SignedIn> {
  const browser = new Browser()
  const page = await browser.follow(new URL('/portal/sign-in', cityUrl), 'elsewhere:')
  if (!(await page.response.text()).includes('development eID'))
    throw new Error(`the sign-in page was expected at ${page.url.pathname}`)
  const done = await browser.follow(page.url, 'elsewhere:', form({ persona }))
  await done.response.arrayBuffer()
  const portalFetch: typeof fetch = (input, init = {}) => {
    const headers = { ...(init.headers as Record<string, string>), 'x-tillit-portal': '1', origin: cityUrl }
    return browser.open(String(input instanceof Request ? input.url : input), { ...init, headers })
  }
  const session = (await (await portalFetch(`${cityUrl}/portal/session`)).json()) as { customer: string | null }
  if (session.customer === null) throw new Error('the sign-in did not succeed')
  return {
    city: connectCity({ url: `${cityUrl}/portal/api`, fetch: portalFetch }),
    customer: session.customer,
    browser,
  }
}

/**
 * What a person does when their wallet sends the browser to the city: sees what the wallet asks for, and agrees. Gives where
 * the browser was sent back to.
 */
export async function agreeInBrowser(browser: Browser, url: string, redirectUri: string): Promise<string> {
  const page = await browser.follow(url, redirectUri)
  if (!(await page.response.text()).includes('name="agree"'))
    throw new Error(`the page that asks for agreement was expected at ${page.url.pathname}`)
  const back = await browser.follow(page.url, redirectUri, form({ agree: 'yes' }))
  return back.url.href
}
