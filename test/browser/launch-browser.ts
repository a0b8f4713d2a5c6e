import chromium from '@sparticuz/chromium'
import { type Browser, chromium as driver, type Page } from 'playwright-core'

/**
 * A headless Chromium that needs nothing installed on the machine. Its package's own arguments are for tiny functions in a
 * cloud: one process for everything, and web security off, which is just what is tested here.
 */
export async function launchBrowser(): Promise<Browser> {
  return driver.launch({
    executablePath: await chromium.executablePath(),
    args: ['--no-sandbox', '--disable-gpu'],
    headless: true,
  })
}

/** What a page did that it must not: filled while the page lives. */
export interface Watch {
  /** Violations of the content security policy, and errors on the console. */
  faults: string[]
  /** Requests to other origins than the city's. */
  strayRequests: string[]
}

export async function watchPage(page: Page, origin: string): Promise<Watch> {
  const watch: Watch = { faults: [], strayRequests: [] }
  await page.addInitScript(
    "addEventListener('securitypolicyviolation', (e) => console.error('CSP ' + e.violatedDirective + ' ' + e.blockedURI))",
  )
  page.on('console', (message) => {
    if (message.type() === 'error') watch.faults.push(message.text())
  })
  page.on('pageerror', (error) => watch.faults.push(error.message))
  page.on('request', (request) => {
    const url = new URL(request.url())
    if (url.origin !== origin && url.protocol !== 'blob:') watch.strayRequests.push(request.url())
  })
  return watch
}
