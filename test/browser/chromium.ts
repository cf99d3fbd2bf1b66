/** The one place that starts a Chromium: a fresh profile, on the leash, nothing of it left behind. Pages' complaints are kept. */
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium, type Browser, type Page } from 'playwright-core'
import { ended, leash } from '../harness/leash.js'

/** As `npm test` found it. */
const PROGRAM = process.env['CHROMIUM'] ?? '/usr/bin/chromium'
const START_MS = 30_000
const WAIT_MS = 10_000

export interface Chromium {
  browser: Browser
  /** Ends it, and removes all that it wrote. */
  close(): Promise<void>
}

export async function startChromium(): Promise<Chromium> {
  if (!existsSync(PROGRAM)) throw new Error(`there is no Chromium at ${PROGRAM}: name one with CHROMIUM, or run npm test, which brings one`)
  // Takes what it would write into somebody's home; the profile is a folder of Playwright's own, which goes with the browser.
  const folder = await mkdtemp(join(tmpdir(), 'hubbub-chromium-'))
  // As a server, for only that tells its process, which the leash needs.
  const server = await chromium.launchServer({
    executablePath: PROGRAM,
    headless: true,
    chromiumSandbox: false,
    args: ['--disable-gpu'],
    env: { ...process.env, XDG_CONFIG_HOME: folder, XDG_CACHE_HOME: folder },
    host: '127.0.0.1',
    timeout: START_MS,
    // Whoever ends the tests ends it by the leash.
    handleSIGINT: false,
    handleSIGTERM: false,
    handleSIGHUP: false,
  })
  const child = server.process()
  leash(child)
  const browser = await chromium.connect(server.wsEndpoint())
  return {
    browser,
    async close() {
      await browser.close()
      await server.close()
      await ended(child)
      await rm(folder, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

/** What a page complains about from now on: warnings and errors of its console, and what was thrown. */
export function complaintsOf(page: Page): string[] {
  page.setDefaultTimeout(WAIT_MS)
  const complaints: string[] = []
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(String(error)))
  return complaints
}
