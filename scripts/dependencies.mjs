/**
 * `npm run audit`: what is installed because of us. Licences of every package of the lock file and of the Python package, by an allow-list;
 * packages that run a program when they are installed, or whose content nothing holds to; and what the registry knows of their faults.
 * A folder as argument: that one's lock file instead of ours. Fails with a line for each finding.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ROOT } from './step.mjs'

/** Shipped with a hub, a client or the dashboard: nothing that asks for more than its name to be kept. */
const SHIPPED = new Set(['MIT', 'MIT-0', 'ISC', 'BSD-2-Clause', 'BSD-3-Clause', 'Apache-2.0', '0BSD', 'BlueOak-1.0.0', 'Python-2.0', 'PSF-2.0', 'CC0-1.0', 'Unlicense', 'Zlib'])
/** Used to build and test, shipped with nothing. */
const TOOLS = new Set([...SHIPPED, 'MPL-2.0', 'CC-BY-3.0', 'CC-BY-4.0', 'Artistic-2.0', 'WTFPL'])
/** Installed by users beside our package, unchanged: MPL asks for changes to its own files only. */
const PYTHON = new Set([...SHIPPED, 'MPL-2.0'])

/** Read by a person, for their package.json says nothing. A new version is read anew. */
const READ = { 'pause@0.0.1': 'MIT' }
/** Tools that fetch or build a binary; our own installation does without it where it can. */
const PROGRAMS = new Set(['@parcel/watcher', '@swc/core', 'fsevents', 'protobufjs', 'unrs-resolver', 'esbuild'])
const AUDIT_MS = 120_000

/** Findings in the packages of a lock file: `name@version: what is wrong`. Throws where there is no readable lock file. */
export function packageFaults(root) {
  const { packages, lockfileVersion } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'))
  if (typeof packages !== 'object' || lockfileVersion < 2) throw new Error('package-lock.json is of a form that says too little')
  const entries = Object.entries(packages).filter(([place, entry]) => place.includes('node_modules/') && !entry.link)
  const faults = entries.flatMap(([place, entry]) => faultsOf(root, place, entry).map((fault) => `${place.split('node_modules/').at(-1)}@${entry.version}: ${fault}`))
  return { faults, count: entries.length }
}

function faultsOf(root, place, entry) {
  const name = place.split('node_modules/').at(-1)
  const isTool = Boolean(entry.dev || entry.devOptional)
  const faults = []
  const licence = licenceAt(root, place, name, entry)
  if (licence === undefined) faults.push('its licence cannot be read')
  else if (!isAllowed(licence, isTool ? TOOLS : SHIPPED)) faults.push(`its licence is ${licence}, which is not on the list of those that ${isTool ? 'tools' : 'shipped packages'} may have`)
  if (entry.hasInstallScript && !(isTool && PROGRAMS.has(name))) faults.push('it runs a program when it is installed')
  // Without it the registry, or whoever answers in its place, says what the package is. Of other machines' tools npm may know nothing but the name.
  if (!entry.integrity && !entry.inBundle && !(isTool && entry.optional && !existsSync(join(root, place)))) faults.push('the lock file does not say what it holds (no integrity)')
  return faults
}

/** What the installed package says; of one for other machines, which is not installed here, what the lock file says. */
function licenceAt(root, place, name, entry) {
  const read = READ[`${name}@${entry.version}`]
  if (read) return read
  const file = join(root, place, 'package.json')
  if (!existsSync(file)) return entry.optional || entry.peer ? entry.license : undefined
  try {
    const { license, licenses } = JSON.parse(readFileSync(file, 'utf8'))
    const said = license ?? (Array.isArray(licenses) ? licenses.map((one) => one.type ?? one).join(' OR ') : licenses)
    return typeof said === 'object' ? said?.type : said
  } catch {
    return undefined
  }
}

/** An SPDX expression: `OR` is our choice, `AND` is all of them. */
export function isAllowed(expression, allowed) {
  const words = String(expression).match(/\(|\)|[^\s()]+/g) ?? []
  let at = 0
  const term = () => {
    if (words[at] !== '(') {
      const fits = allowed.has(words[at++])
      // An exception only ever allows more.
      if (words[at] === 'WITH') at += 2
      return fits
    }
    at++
    const inner = any()
    if (words[at++] !== ')') at = Infinity
    return inner
  }
  const all = () => {
    let fits = term()
    while (words[at] === 'AND') {
      at++
      fits = term() && fits
    }
    return fits
  }
  const any = () => {
    let fits = all()
    while (words[at] === 'OR') {
      at++
      fits = all() || fits
    }
    return fits
  }
  return any() && at === words.length
}

/** Findings of the registry, of what is shipped: `undefined` where it answers no audits. */
export function knownFaults(root) {
  const { stdout, stderr } = spawnSync('npm', ['audit', '--omit=dev', '--audit-level=high', '--json', '--fetch-retries=1', '--fetch-retry-mintimeout=1000'], { cwd: root, encoding: 'utf8', timeout: AUDIT_MS, maxBuffer: 64 * 1024 * 1024 })
  let report
  try {
    report = JSON.parse(stdout)
  } catch {
    report = { message: (stderr || 'npm audit said nothing').trim().split('\n').at(-1) }
  }
  if (!report.vulnerabilities) return { unanswered: String(report.message ?? report.error?.summary ?? 'no answer').slice(0, 200) }
  const grave = Object.values(report.vulnerabilities).filter(({ severity }) => severity === 'high' || severity === 'critical')
  return { faults: grave.map(({ name, severity, range, via }) => `${name} ${range}: ${severity}: ${via.map((one) => one.title ?? one).join('; ')}`) }
}

/** Names and licences of what the Python package brings along, as the installed packages say it. */
const LOOK = `
import json, re
from importlib.metadata import distribution, PackageNotFoundError
found, open_ = {}, ['hubbub-client']
while open_:
    name = re.split(r'[^A-Za-z0-9._-]', open_.pop())[0].lower().replace('_', '-')
    if name in found: continue
    try: d = distribution(name)
    except PackageNotFoundError: continue
    m = d.metadata
    text = m.get('License') or ''
    classes = [c.split(' :: ')[-1] for c in m.get_all('Classifier') or [] if c.startswith('License ::') and not c.endswith('OSI Approved')]
    found[name] = [m['License-Expression']] if m.get('License-Expression') else classes or [text.split('\\n')[0]]
    open_ += [r for r in d.requires or [] if 'extra ==' not in r]
del found['hubbub-client']
print(json.dumps(found))
`
const CALLED = [
  [/^MIT( License)?$/i, 'MIT'], [/^Apache([- ]2(\.0)?| Software License|.*2\.0.*)$/i, 'Apache-2.0'], [/^(3-Clause )?BSD( License)?$/i, 'BSD-3-Clause'], [/^(MPL[- ]2\.0|Mozilla Public License 2\.0.*)$/i, 'MPL-2.0'],
  [/^(PSF.*|Python Software Foundation License)$/i, 'PSF-2.0'], [/^ISC( License)?.*$/i, 'ISC'], [/^The Unlicense.*$/i, 'Unlicense'],
]

/** `undefined` where the package is not installed. @param program a Python */
export function pythonFaults(program) {
  if (!program || !existsSync(program)) return undefined
  const { status, stdout } = spawnSync(program, ['-c', LOOK], { encoding: 'utf8', timeout: 60_000 })
  if (status !== 0) return undefined
  const found = Object.entries(JSON.parse(stdout))
  const faults = found.flatMap(([name, said]) => {
    const licences = said.filter(Boolean).map((one) => CALLED.find(([pattern]) => pattern.test(one.trim()))?.[1] ?? one)
    return licences.length > 0 && licences.every((one) => isAllowed(one, PYTHON)) ? [] : [`${name} (Python): its licence is ${licences.join(', ') || 'unknown'}`]
  })
  return { faults, count: found.length }
}

function main(root) {
  const npm = packageFaults(root)
  const python = root === ROOT ? pythonFaults(process.env.HUBBUB_PYTHON ?? join(ROOT, 'node_modules/.cache/python-venv/bin/python')) : undefined
  const known = knownFaults(root)
  for (const fault of [...npm.faults, ...(python?.faults ?? []), ...(known.faults ?? [])]) console.error(fault)
  console.log(`licences: ${npm.count} packages of npm${python ? ` and ${python.count} of Python` : ''} looked at`)
  if (root === ROOT && !python) console.log('licences: the Python package is not installed here; what it brings along was not looked at')
  if (known.unanswered !== undefined) console.log(`audit: the registry answers no audits; known faults were not looked for (${known.unanswered})`)
  const count = npm.faults.length + (python?.faults.length ?? 0) + (known.faults?.length ?? 0)
  console.log(count === 0 ? 'dependencies: nothing found' : `dependencies: ${count} found`)
  process.exitCode = count === 0 ? 0 : 1
}

if (process.argv[1] && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) main(process.argv[2] ? resolve(process.argv[2]) : ROOT)
