/** `npm run audit` finds what it is for: each mistake is planted in a lock file and a folder of packages of our own. */
import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

interface Planted {
  /** As the lock file says it. */
  entry?: Record<string, unknown>
  /** Its package.json, or text that is none; null: not installed. */
  manifest?: Record<string, unknown> | string | null
}

let folder: string
let registry: Server
let answer: (path: string, body: string) => { status: number; json: unknown }

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'hubbub-audit-'))
  answer = () => ({ status: 200, json: {} })
  registry = createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      const { status, json } = answer(request.url ?? '', Buffer.concat(parts).toString())
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(json))
    })
  })
  await new Promise<void>((listening) => registry.listen(0, '127.0.0.1', listening))
})
afterEach(async () => {
  rmSync(folder, { recursive: true })
  registry.closeAllConnections()
  await new Promise((closed) => registry.close(closed))
})

async function audit(packages: Record<string, Planted>): Promise<{ code: number | null; said: string }> {
  const names = Object.keys(packages)
  const root = { name: 'planted', version: '1.0.0', dependencies: Object.fromEntries(names.map((name) => [name, '1.0.0'])) }
  const entries = names.map((name) => [`node_modules/${name}`, { version: '1.0.0', integrity: 'sha512-x', ...packages[name]!.entry }])
  writeFileSync(join(folder, 'package.json'), JSON.stringify(root))
  writeFileSync(join(folder, 'package-lock.json'), JSON.stringify({ ...root, lockfileVersion: 3, packages: { '': root, ...Object.fromEntries(entries) } }))
  for (const [name, { manifest = { license: 'MIT' } }] of Object.entries(packages)) {
    if (manifest === null) continue
    mkdirSync(join(folder, 'node_modules', name), { recursive: true })
    writeFileSync(join(folder, 'node_modules', name, 'package.json'), typeof manifest === 'string' ? manifest : JSON.stringify({ name, version: '1.0.0', ...manifest }))
  }
  const env = { ...process.env, npm_config_registry: `http://127.0.0.1:${(registry.address() as AddressInfo).port}`, npm_config_cache: join(folder, 'cache'), npm_config_fetch_retries: '0' }
  // Not waited for in one step: this process answers as the registry meanwhile.
  const child = spawn(process.execPath, [resolve('scripts/dependencies.mjs'), folder], { env })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (said += text))
  return { code: await new Promise((ended) => child.once('close', ended)), said }
}

test('packages that may be there pass', async () => {
  const { code, said } = await audit({
    plain: {},
    choice: { manifest: { license: '(GPL-3.0-only OR MIT)' } },
    both: { manifest: { license: 'Apache-2.0 AND (BSD-3-Clause OR GPL-2.0-only)' } },
    exception: { manifest: { license: 'Apache-2.0 WITH LLVM-exception' } },
    old: { manifest: { licenses: [{ type: 'MIT' }] } },
    tool: { entry: { dev: true }, manifest: { license: 'MPL-2.0' } },
    elsewhere: { entry: { dev: true, optional: true, license: 'MIT', integrity: undefined }, manifest: null },
    '@swc/core': { entry: { dev: true, hasInstallScript: true } },
  })
  expect([code, said]).toEqual([0, 'licences: 8 packages of npm looked at\ndependencies: nothing found\n'])
}, 60_000)

const PLANTS: [string, Planted, RegExp][] = [
  ['a GPL licence', { manifest: { license: 'GPL-3.0-or-later' } }, /bad@1\.0\.0: its licence is GPL-3\.0-or-later/],
  ['an AGPL licence among tools', { entry: { dev: true }, manifest: { license: 'AGPL-3.0' } }, /bad@1\.0\.0: its licence is AGPL-3\.0/],
  ['a licence of tools in what is shipped', { manifest: { license: 'MPL-2.0' } }, /MPL-2\.0, which is not on the list of those that shipped packages/],
  ['two licences, of which one is not allowed', { manifest: { license: 'MIT AND GPL-2.0-only' } }, /MIT AND GPL-2\.0-only/],
  ['an expression that is none', { manifest: { license: '(MIT OR' } }, /\(MIT OR/],
  ['an expression with something behind it', { manifest: { license: 'MIT GPL-3.0-only' } }, /MIT GPL/],
  ['a licence that stands elsewhere', { manifest: { license: 'SEE LICENSE IN LICENSE.txt' } }, /SEE LICENSE/],
  ['no licence', { manifest: {} }, /its licence cannot be read/],
  ['a package.json that is none', { manifest: '{ "license": "MIT"' }, /its licence cannot be read/],
  ['a package that is not installed', { manifest: null }, /its licence cannot be read/],
  ['a program that runs at the installation', { entry: { hasInstallScript: true } }, /it runs a program/],
  ['such a tool that nobody agreed to', { entry: { dev: true, hasInstallScript: true } }, /it runs a program/],
  ['content that nothing holds to', { entry: { integrity: undefined } }, /no integrity/],
]

test.each(PLANTS)('%s is found, and the package named', async (_what, planted, said) => {
  const audited = await audit({ good: {}, bad: planted })
  expect(audited.said).toMatch(said)
  expect(audited.said).not.toContain('good@')
  expect([audited.code, audited.said.split('\n').at(-2)]).toEqual([1, 'dependencies: 1 found'])
}, 60_000)

const ADVISORY = { id: 1, url: 'https://example/1', title: 'It lets everybody in', vulnerable_versions: '<2.0.0', cwe: [], cvss: { score: 0, vectorString: null } }

test.each([['high', 1], ['critical', 1], ['moderate', 0]])('what the registry knows of a package is a finding when it is %s: exit %d', async (severity, code) => {
  answer = (path) => (path.includes('/advisories/bulk') ? { status: 200, json: { bad: [{ ...ADVISORY, severity }] } } : { status: 200, json: { name: 'bad', 'dist-tags': { latest: '1.0.0' }, versions: { '1.0.0': { name: 'bad', version: '1.0.0' } } } })
  const audited = await audit({ bad: {} })
  expect(audited.code).toBe(code)
  if (code === 1) expect(audited.said).toContain(`${severity}: It lets everybody in`)
}, 60_000)

test('a registry that answers no audits is told of in one line, and fails nothing', async () => {
  answer = () => ({ status: 405, json: {} })
  const { code, said } = await audit({ good: {} })
  expect([code, said.split('\n').filter((line) => line.startsWith('audit: the registry answers no audits; known faults were not looked for')).length]).toEqual([0, 1])
}, 60_000)

test('a package of Python is judged by what it says itself, and by all of it', () => {
  const python = join(folder, 'python')
  const found = { fine: ['MIT License'], both: ['Apache-2.0 AND MIT'], mozilla: ['Mozilla Public License 2.0 (MPL 2.0)'], gnu: ['GNU General Public License v3 (GPLv3)'], mixed: ['MIT License', 'GNU Affero General Public License v3'], silent: [''] }
  writeFileSync(python, `#!/bin/sh\necho '${JSON.stringify(found)}'\n`, { mode: 0o755 })
  const look = `import { pythonFaults } from ${JSON.stringify(resolve('scripts/dependencies.mjs'))}; console.log(JSON.stringify(pythonFaults(process.argv[1])))`
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', look, python], { encoding: 'utf8' })
  const { faults, count } = JSON.parse(stdout) as { faults: string[]; count: number }
  expect([count, faults.map((fault) => fault.split(' ')[0])]).toEqual([6, ['gnu', 'mixed', 'silent']])
})
