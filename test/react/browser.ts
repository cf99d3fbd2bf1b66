/**
 * A Chromium, and a server with the pages of `pages/`, bundled from the sources. A page is a scene (`pages/scenes.tsx`) with its
 * settings; what it saw it keeps in `window.seen`.
 */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { launch, type Browser, type Page } from 'puppeteer-core'
import { ended, leash } from '../harness/leash.js'

/** As `npm test` found it. */
const CHROMIUM = process.env['CHROMIUM'] ?? '/usr/bin/chromium'
/** Our packages by their sources, so that no page is older than they are. */
const SOURCES = {
  '@hubbub/react': 'client-sdk/react/src/index.ts',
  '@hubbub/client': 'client-sdk/typescript/src/index.ts',
  '@hubbub/protocol': 'shared/src/index.ts',
}

export interface Opened {
  page: Page
  /** Warnings and errors of its console, and what was thrown. */
  complaints: string[]
  /** Messages of that name that it sent over its WebSockets. */
  asked(name: string): number
  /** Text of the first element that fits. */
  text(selector: string): Promise<string>
  close(): Promise<void>
}

export interface Stage {
  /** Origin of the pages, for HUBBUB_CORS_ORIGINS. */
  origin: string
  /** @param markup what a server rendered, if it did */
  open(scene: string, settings: Record<string, string>, markup?: string): Promise<Opened>
  close(): Promise<void>
}

export async function openStage(): Promise<Stage> {
  if (!existsSync(CHROMIUM)) throw new Error(`there is no Chromium at ${CHROMIUM}: name one with CHROMIUM, or run npm test, which brings one`)
  const folder = await mkdtemp(join(tmpdir(), 'hubbub-chromium-'))
  const [script, browser] = await Promise.all([bundle('test/react/pages/entry.tsx'), begin(folder)])
  const markups = new Map<string, string>()
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://here')
    const [type, body] =
      pathname === '/script.js' ? ['text/javascript', script] : pathname === '/' ? ['text/html', html(markups.get(searchParams.get('markup') ?? '') ?? '')] : ['image/x-icon', '']
    response.writeHead(200, { 'Content-Type': `${type}; charset=utf-8` }).end(body)
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    origin,
    async open(scene, settings, markup) {
      const key = markup === undefined ? '' : String(markups.size + 1)
      if (markup !== undefined) markups.set(key, markup)
      return openPage(browser, `${origin}/?${new URLSearchParams({ scene, markup: key, ...settings }).toString()}`)
    },
    async close() {
      const child = browser.process()
      await browser.close()
      if (child) await ended(child)
      await rm(folder, { recursive: true, force: true, maxRetries: 5 })
      await new Promise((done) => server.close(done))
    },
  }
}

/** @param folder takes all that it writes, so that nothing stays in anybody's home */
async function begin(folder: string): Promise<Browser> {
  const browser = await launch({
    executablePath: CHROMIUM,
    headless: true,
    args: ['--no-sandbox', '--disable-gpu'],
    userDataDir: join(folder, 'profile'),
    env: { ...process.env, XDG_CONFIG_HOME: folder, XDG_CACHE_HOME: folder },
    protocolTimeout: 15_000,
    // Whoever ends the tests ends it by the leash.
    handleSIGINT: false,
    handleSIGTERM: false,
    handleSIGHUP: false,
  })
  const child = browser.process()
  if (child) leash(child)
  return browser
}

async function openPage(browser: Browser, address: string): Promise<Opened> {
  const page = await browser.newPage()
  page.setDefaultTimeout(10_000)
  const complaints: string[] = []
  page.on('console', (message) => {
    if (['error', 'warn'].includes(message.type())) complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(String(error)))
  const sent: string[] = []
  const wire = await page.createCDPSession()
  wire.on('Network.webSocketFrameSent', ({ response }) => sent.push(response.payloadData))
  await wire.send('Network.enable')
  await page.goto(address)
  return {
    page,
    complaints,
    asked: (name) => sent.filter((frame) => frame.includes(`["${name}",`)).length,
    text: (selector) => page.$eval(selector, (element) => element.textContent ?? ''),
    async close() {
      if (!page.isClosed()) await page.close()
    },
  }
}

function html(markup: string): string {
  return `<!doctype html><html lang="en"><title>Hubbub</title><body><div id="root">${markup}</div><script type="module" src="/script.js"></script></body></html>`
}

/** esbuild compiled to WebAssembly, in a process of its own: nothing native has to fit the machine. */
function bundle(entry: string): Promise<string> {
  const aliases = Object.entries(SOURCES).map(([name, file]) => `--alias:${name}=${resolve(file)}`)
  const flags = ['--bundle', '--format=esm', '--target=es2022', '--jsx=automatic', '--define:process.env.NODE_ENV="development"', '--log-level=error', ...aliases]
  const child = spawn(process.execPath, [resolve('node_modules/esbuild-wasm/bin/esbuild'), entry, ...flags], { stdio: ['ignore', 'pipe', 'pipe'] })
  leash(child)
  let script = ''
  let complaint = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (script += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (complaint += text))
  return new Promise((done, fail) => {
    child.once('error', fail)
    child.once('close', (code) => (code === 0 ? done(script) : fail(new Error(`esbuild: ${complaint}`))))
  })
}
