/** The Python package's tests: finds a Python, makes a virtual environment beside the other installed things, and runs pytest in it. */
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { constants } from 'node:os'
import { ROOT, say, step } from './step.mjs'

export const PYTHON_PACKAGE = 'client-sdk/python'
const OLDEST = [3, 10]
/** Outside of the tree: `npm ci` throws it away with the rest. */
const VENV = join(ROOT, 'node_modules/.cache/python-venv')
const STAMP = join(VENV, '.made-from')
const LOOK = 'import sys, venv, ensurepip; print(*sys.version_info[:3], sep=".")'

/** The program of an environment with the package; undefined where there can be none, and one line has said why. */
export async function pythonProgram() {
  const found = findPython()
  if (!found) return leftOut(`there is no python3 of ${OLDEST.join('.')} or later with venv and pip`)
  const made = await environment(found)
  return made === true ? python() : leftOut(made)
}

/** Exit code of pytest. `env` as for the other tests. */
export async function testPython(env, paths) {
  // CI reads the counts from it.
  const results = process.env.PYTEST_RESULTS
  return await pytest(['-m', 'pytest', '-q', ...paths, ...(results ? [`--junitxml=${results}`] : [])], env)
}

function findPython() {
  for (const program of ['python3', 'python']) {
    const { status, stdout } = spawnSync(program, ['-c', LOOK], { encoding: 'utf8', timeout: 20_000 })
    const [major, minor] = status === 0 ? stdout.trim().split('.').map(Number) : [0, 0]
    if (major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])) return { program, version: stdout.trim() }
  }
  return undefined
}

/** True, or why there is none. One that was made from the same package description by the same Python is taken again. */
async function environment({ program, version }) {
  const description = readFileSync(join(ROOT, PYTHON_PACKAGE, 'pyproject.toml'))
  const made = createHash('sha256').update(`${version}\0${ROOT}\0`).update(description).digest('hex')
  if (existsSync(STAMP) && readFileSync(STAMP, 'utf8') === made) return true
  rmSync(VENV, { recursive: true, force: true })
  const steps = [
    ['making a Python environment', program, ['-m', 'venv', VENV]],
    ['installing the Python package', python(), ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--retries', '2', '-e', `./${PYTHON_PACKAGE}[test]`]],
  ]
  for (const [title, command, args] of steps) {
    const { ok, output } = await step(title, command, args)
    if (!ok) return `${title} failed: ${lastLine(output)}`
  }
  writeFileSync(STAMP, made)
  return true
}

function pytest(args, env) {
  return new Promise((done) => {
    const child = spawn(python(), args, { cwd: ROOT, env: { ...process.env, ...env, NODE_OPTIONS: process.env.NODE_OPTIONS ?? '' }, stdio: 'inherit' })
    for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
    child.once('error', () => done(1))
    child.once('exit', (code, signal) => done(signal ? 128 + constants.signals[signal] : code))
  })
}

function python() {
  return join(VENV, process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python')
}

function leftOut(why) {
  say(`the Python tests are left out: ${why}`)
  return undefined
}

/** What pip says last is about itself; what went wrong stands in its errors. */
function lastLine(output) {
  const lines = output.trim().split('\n').map((line) => line.trim())
  return (lines.findLast((line) => line.startsWith('ERROR')) ?? lines.at(-1) ?? '').slice(0, 300)
}
