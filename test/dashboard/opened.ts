/** A page of the dashboard: signed in, live, and watched: what it complains about and what it asks for is kept. */
import axe from 'axe-core'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { complaintsOf } from '../browser/chromium.js'

export const DESKTOP = { width: 1280, height: 800 }
export const PHONE = { width: 390, height: 844 }

export interface Opening {
  /** null: signs in by no means. */
  token?: string | null
  colourScheme?: 'light' | 'dark'
  viewport?: { width: number; height: number }
  /** As a browser that knows nothing of policies: what holds then does not hold by the policy alone. */
  withoutPolicy?: boolean
  /** Runs in the page before anything of it does. */
  before?: () => void
  /** Not to be waited for: whoever is not let in is not live. */
  isLive?: false
}

export interface Opened {
  page: Page
  context: BrowserContext
  /** Warnings and errors of the console, what was thrown, requests that failed or were answered with an error. What the page gave up itself is none. */
  complaints: string[]
  /** URLs of all requests, WebSockets included, in order. */
  requests: string[]
  /** Goes to another route as a link would, and waits for its heading. */
  go(path: string): Promise<void>
  /** Waits for a text that is seen. */
  shows(text: string | RegExp): Promise<void>
  /** Waits for the state that the page shows of its connection: `live`, `offline`, ... */
  connection(state: string): Promise<void>
  /** Serious and critical violations that axe finds, one line each. */
  axe(): Promise<string[]>
  close(): Promise<void>
}

export async function openPage(browser: Browser, url: string, path: string, opening: Opening): Promise<Opened> {
  const { token, colourScheme = 'light', viewport = DESKTOP, before, isLive = true, withoutPolicy = false } = opening
  const context = await browser.newContext({ viewport, colorScheme: colourScheme, reducedMotion: 'reduce', bypassCSP: withoutPolicy, locale: 'en-GB', timezoneId: 'UTC' })
  if (before) await context.addInitScript(before)
  const page = await context.newPage()
  const complaints = complaintsOf(page)
  const requests = requestsOf(page, complaints)
  const opened: Opened = {
    page,
    context,
    complaints,
    requests,
    async go(route) {
      await page.evaluate((hash) => void (window.location.hash = hash), route)
      await page.waitForFunction((hash) => window.location.hash === hash && document.querySelector('main h1') !== null, `#${route}`)
    },
    shows: (text) => page.getByText(text).first().waitFor(),
    connection: (state) => page.locator(`[role=status][data-connection="${state}"]`).waitFor(),
    axe: () => violations(page),
    close: () => context.close(),
  }
  await page.goto(token ? `${url}/#token=${token}` : `${url}/#${path}`)
  if (isLive) await opened.connection('live')
  if (token && path !== '/') await opened.go(path)
  return opened
}

function requestsOf(page: Page, complaints: string[]): string[] {
  const requests: string[] = []
  page.on('request', (request) => requests.push(request.url()))
  page.on('websocket', (socket) => requests.push(socket.url()))
  page.on('requestfailed', (request) => {
    const reason = request.failure()?.errorText ?? 'failed'
    if (reason !== 'net::ERR_ABORTED') complaints.push(`${request.url()}: ${reason}`)
  })
  page.on('response', (response) => {
    if (response.status() >= 400) complaints.push(`${response.url()}: ${response.status()}`)
  })
  return requests
}

/** Put in by the browser's own means, which the page's policy does not bind: the page is looked at as it is. */
async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe.source)
  const found = await page.evaluate(async () => {
    const { violations: all } = await (globalThis as unknown as { axe: typeof axe }).axe.run(document, { resultTypes: ['violations'] })
    return all.map(({ id, impact, help, nodes }) => ({ id, impact, help, where: nodes.slice(0, 3).map(({ target, failureSummary }) => `${target.join(' ')} (${failureSummary ?? ''})`) }))
  })
  return found.filter(({ impact }) => impact === 'serious' || impact === 'critical').map(({ id, help, where }) => `${id}: ${help}: ${where.join('; ')}`)
}
