/** Makes a clone runnable: dependencies as the lock file says, and a build of the sources as they are. Node built-ins only. */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { giveUp, ROOT, say, step } from './step.mjs'

const PACKAGES = ['shared', 'client-sdk/typescript', 'client-sdk/react', 'server']
/** Bundled, not compiled; the last, for it takes in the others. */
const DASHBOARD = 'dashboard'
const STAMP = join(ROOT, 'server/dist/.sources')
const NO_NETWORK = /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|ERR_SOCKET_TIMEOUT|ENOTCACHED/

/** `npm ci`, unless what is installed is what the lock file says. */
export async function install() {
  if (installed()) return
  const npm = process.env.npm_execpath?.endsWith('npm-cli.js') ? { program: process.execPath, args: [process.env.npm_execpath] } : { program: 'npm', args: [] }
  const flags = ['--include=dev', '--no-audit', '--no-fund', '--loglevel=error', '--fetch-retry-mintimeout=1000', '--fetch-retry-maxtimeout=10000']
  let { ok, output } = await step('installing dependencies', npm.program, [...npm.args, 'ci', ...flags])
  if (!ok && output.includes('EUSAGE')) {
    // A lock file written where the registry lacks other platforms' optional packages is refused by `npm ci`, though it names all that is needed here.
    say('npm ci finds the lock file incomplete; npm install takes the versions that it has')
    ;({ ok, output } = await step('installing dependencies', npm.program, [...npm.args, 'install', '--no-save', ...flags]))
  }
  if (ok) return
  if (NO_NETWORK.test(output)) giveUp('cannot install the dependencies: no network, or the package registry is out of reach. Connect and run the command again.')
  giveUp(`installing the dependencies failed:\n${tail(output)}`)
}

/** `tsc -b` and the Lua scripts, unless the last build was made from the same sources. */
export async function build() {
  const sources = hashSources()
  if (isBuilt(sources)) return
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc')
  // Forced: an incremental build believes its notes and would not make good a deleted `dist`.
  const { ok, output } = await step('building', process.execPath, [tsc, '-b', '--force', 'server', 'client-sdk/react', DASHBOARD])
  if (!ok) giveUp(`the build failed:\n${tail(output)}`)
  const { copyLua } = await import('./copy-lua.mjs')
  copyLua()
  const bundled = await step('building the dashboard', process.execPath, [join(ROOT, 'node_modules/vite/bin/vite.js'), 'build', '--logLevel', 'warn', DASHBOARD])
  if (!bundled.ok) giveUp(`the dashboard's build failed:\n${tail(bundled.output)}`)
  mkdirSync(join(ROOT, 'server/dist'), { recursive: true })
  writeFileSync(STAMP, sources)
}

/**
 * npm keeps a note of what it installed and writes it last. Compared by version with the lock file it is right after
 * `npm ci`, `npm install`, a pull that changed the lock file, and an installation that broke off.
 */
function installed() {
  const note = join(ROOT, 'node_modules/.package-lock.json')
  if (!existsSync(note)) return false
  const wanted = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')).packages
  const present = JSON.parse(readFileSync(note, 'utf8')).packages
  return Object.entries(wanted).every(([path, entry]) => {
    // Optional ones may belong to another platform; the workspaces themselves stand in the clone.
    if (entry.optional || entry.link || !path.includes('node_modules/')) return true
    return present[path]?.version === entry.version
  })
}

function isBuilt(sources) {
  if (!existsSync(STAMP) || readFileSync(STAMP, 'utf8') !== sources) return false
  if (!existsSync(join(ROOT, DASHBOARD, 'dist/index.html'))) return false
  // A compiler that ran since, by hand or in an editor, may have compiled sources that are different again now.
  const stamped = statSync(STAMP).mtimeMs
  return PACKAGES.every((name) => {
    const notes = statSync(join(ROOT, name, 'tsconfig.tsbuildinfo'), { throwIfNoEntry: false })
    return existsSync(join(ROOT, name, 'dist')) && notes !== undefined && notes.mtimeMs <= stamped
  })
}

/** Contents, not times: a checkout changes the times of files that it does not change. */
function hashSources() {
  const hash = createHash('sha256')
  const files = [...PACKAGES, DASHBOARD].flatMap((name) => [join(name, 'tsconfig.json'), ...filesUnder(join(name, 'src'))])
  for (const file of [...files, ...filesUnder(join(DASHBOARD, 'public')), join(DASHBOARD, 'index.html'), join(DASHBOARD, 'vite.config.ts'), 'tsconfig.base.json', 'package-lock.json']) hash.update(`${file}\0`).update(readFileSync(join(ROOT, file))).update('\0')
  return hash.digest('hex')
}

function filesUnder(folder) {
  const entries = readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath ?? entry.path, entry.name).slice(ROOT.length + 1)).sort()
}

function tail(output, lines = 40) {
  return output.trimEnd().split('\n').slice(-lines).join('\n')
}
