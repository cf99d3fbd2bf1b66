/** What a visitor loads before the first view stands: it stays small, and the other views come when they are asked for. */
import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { brotliDecompressSync, gunzipSync, gzipSync } from 'node:zlib'
import { openStage, type Stage } from './stage.js'

const DIST = resolve('dashboard/dist')
const ASSETS = join(DIST, 'assets')
/** Gzipped, of everything that the fleet needs: some 60 KB of it are React, 15 KB Socket.IO. */
const BUDGET_KB = 150

let stage: Stage

beforeAll(async () => {
  stage = await openStage()
}, 60_000)
afterAll(() => stage?.close(), 60_000)

it(`the first view loads no more than ${BUDGET_KB} KB, and nothing of the other views`, async () => {
  const { page, requests, close } = await stage.open()
  await page.locator('main h1').waitFor()
  await page.waitForLoadState('load')
  const loaded = assetsOf(requests)
  const sizes = Object.fromEntries(['index.html', ...loaded].map((name) => [name, gzipped(name)]))
  const total = Object.values(sizes).reduce((sum, bytes) => sum + bytes, 0)
  const received = await page.evaluate(() => {
    const entries = [...performance.getEntriesByType('resource'), ...performance.getEntriesByType('navigation')] as PerformanceResourceTiming[]
    return entries.filter(({ name, entryType }) => entryType === 'navigation' || name.includes('/assets/')).reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0)
  })
  const parts = Object.entries(sizes).map(([name, bytes]) => `${name.replace('assets/', '')} ${kb(bytes)}`)
  process.stdout.write(`first paint: ${kb(total)} KB gzipped, ${kb(received)} KB received by Chromium (${parts.join(', ')})\n`)
  expect(total).toBeLessThan(BUDGET_KB * 1024)
  expect(received).toBeGreaterThan(0)
  expect(received).toBeLessThan(BUDGET_KB * 1024)

  const before = new Set(loaded)
  await page.getByRole('navigation', { name: 'Views' }).getByRole('link', { name: 'Events' }).click()
  await page.locator('main h1', { hasText: 'Events' }).waitFor()
  expect(assetsOf(requests).filter((name) => !before.has(name) && name.includes('Events')).length).toBeGreaterThan(0)
  await close()
})

it('what is sent compressed is what was built', () => {
  const names = readdirSync(ASSETS)
  const packed = names.filter((name) => /\.(gz|br)$/.test(name))
  expect(packed.length).toBeGreaterThan(0)
  for (const name of packed) {
    const content = readFileSync(join(ASSETS, name))
    const unpacked = name.endsWith('.gz') ? gunzipSync(content) : brotliDecompressSync(content)
    expect([name, unpacked.equals(readFileSync(join(ASSETS, name.replace(/\.(gz|br)$/, ''))))]).toEqual([name, true])
  }
})

function assetsOf(requests: string[]): string[] {
  return [...new Set(requests.map((url) => /\/(assets\/[^?#]+)/.exec(url)?.[1]).filter((name) => name !== undefined))]
}

function gzipped(name: string): number {
  return gzipSync(readFileSync(join(DIST, name)), { level: 9 }).length
}

function kb(bytes: number): string {
  return (bytes / 1024).toFixed(1)
}
