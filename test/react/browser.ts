/**
 * A Chromium, and a server with the pages of `pages/`, bundled from the sources. A page is a scene (`pages/scenes.tsx`) with its
 * settings; what it saw it keeps in `window.seen`.
 */
import { spawn } from 'node:child_process'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { resolve } from 'node:path'
import type { BrowserContext, Page } from 'playwright-core'
import { complaintsOf, startChromium } from '../browser/chromium.js'
import { leash } from '../harness/leash.js'

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
  /** Waits for an element that fits, visible or not. */
  holds(selector: string): Promise<void>
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
  const [script, chromium] = await Promise.all([bundle('test/react/pages/entry.tsx'), startChromium()])
  const context = await chromium.browser.newContext()
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
      return openPage(context, `${origin}/?${new URLSearchParams({ scene, markup: key, ...settings }).toString()}`)
    },
    async close() {
      await chromium.close()
      await new Promise((done) => server.close(done))
    },
  }
}

async function openPage(context: BrowserContext, address: string): Promise<Opened> {
  const page = await context.newPage()
  const complaints = complaintsOf(page)
  const sent: string[] = []
  page.on('websocket', (socket) => socket.on('framesent', ({ payload }) => sent.push(String(payload))))
  await page.goto(address)
  return {
    page,
    complaints,
    asked: (name) => sent.filter((frame) => frame.includes(`["${name}",`)).length,
    text: (selector) => page.$eval(selector, (element) => element.textContent ?? ''),
    holds: async (selector) => void (await page.waitForSelector(selector, { state: 'attached' })),
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
