/** The dashboard's files as a hub serves them: whole, the same until it stops, to those who look and to nobody else. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, get, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { brotliCompressSync, brotliDecompressSync, gunzipSync, gzipSync } from 'node:zlib'
import express from 'express'
import { createDashboard } from '../../server/src/gateway/http/dashboard.js'

const SCRIPT = `console.log('${'a'.repeat(2000)}')`
const PAGE = '<!doctype html><title>Hubbub</title>'
let folder: string
let server: Server
let url: string

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'hubbub-dashboard-'))
  mkdirSync(join(folder, 'dist/assets'), { recursive: true })
  writeFileSync(join(folder, 'secret.txt'), 'not for you')
  writeFileSync(join(folder, 'dist/index.html'), PAGE)
  writeFileSync(join(folder, 'dist/assets/a-1.js'), SCRIPT)
  writeFileSync(join(folder, 'dist/assets/a-1.js.br'), brotliCompressSync(SCRIPT))
  writeFileSync(join(folder, 'dist/assets/a-1.js.gz'), gzipSync(SCRIPT))
  const app = express().disable('etag').use(createDashboard({ dashboard: 'on' }, join(folder, 'dist')))
  server = createServer(app.use((_request, response) => void response.status(404).send('nothing')))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(async () => {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
  rmSync(folder, { recursive: true })
})

/** As it stands on the wire: neither the path nor the body is touched. */
function raw(path: string, headers: Record<string, string> = {}): Promise<{ status?: number; headers: IncomingMessage['headers']; body: Buffer }> {
  return new Promise((resolve, reject) => {
    get({ port: Number(new URL(url).port), host: '127.0.0.1', path, headers }, (answer) => {
      const parts: Buffer[] = []
      answer.on('data', (part: Buffer) => parts.push(part)).on('end', () => resolve({ status: answer.statusCode, headers: answer.headers, body: Buffer.concat(parts) }))
    }).on('error', reject)
  })
}

test('a page is asked for anew each time, what has a hash in its name once a year', async () => {
  const page = await raw('/')
  expect([page.status, page.body.toString(), page.headers['content-type'], page.headers['cache-control']]).toEqual([200, PAGE, 'text/html; charset=utf-8', 'no-cache'])
  expect(page.headers['content-security-policy']).toContain("default-src 'none'")
  const script = await raw('/assets/a-1.js')
  expect([script.body.toString(), script.headers['content-type'], script.headers['cache-control']]).toEqual([SCRIPT, 'text/javascript; charset=utf-8', 'public, max-age=31536000, immutable'])
  const again = await raw('/', { 'If-None-Match': page.headers.etag! })
  expect([again.status, again.body.length]).toEqual([304, 0])
  expect((await raw('/?token=x', { 'If-None-Match': '"other"' })).status).toBe(200)
})

test('it goes out as it was compressed by the build, to whoever takes it so', async () => {
  const packed = await raw('/assets/a-1.js', { 'Accept-Encoding': 'gzip, deflate, br' })
  expect([packed.headers['content-encoding'], packed.headers.vary, brotliDecompressSync(packed.body).toString()]).toEqual(['br', 'Accept-Encoding', SCRIPT])
  const older = await raw('/assets/a-1.js', { 'Accept-Encoding': 'gzip, br;q=0' })
  expect([older.headers['content-encoding'], gunzipSync(older.body).toString()]).toEqual(['gzip', SCRIPT])
  const head = await fetch(`${url}/assets/a-1.js`, { method: 'HEAD' })
  expect([head.status, await head.text()]).toEqual([200, ''])
})

test('nothing else is there: no other file, method, half or folder', async () => {
  for (const path of ['/../secret.txt', '/assets/../../secret.txt', '/..%2fsecret.txt', '/assets/%2e%2e/%2e%2e/secret.txt', '/__proto__', '/assets/', '/assets/a-2.js', '/%']) expect([path, (await raw(path)).status]).toEqual([path, 404])
  expect((await fetch(`${url}/`, { method: 'POST', body: 'x' })).status).toBe(404)
  for (const range of ['bytes=5-2', 'bytes=0-3,5-6', 'items=-1--3']) expect([range, (await raw('/', { Range: range })).body.toString()]).toEqual([range, PAGE])
})

test('a build that changes or goes under a running hub changes nothing, and ends nothing', async () => {
  writeFileSync(join(folder, 'dist/index.html'), `${PAGE}<p>of the next build, and longer`)
  rmSync(join(folder, 'dist/assets'), { recursive: true })
  expect((await raw('/')).body.toString()).toBe(PAGE)
  expect((await raw('/assets/a-1.js')).body.toString()).toBe(SCRIPT)
})
