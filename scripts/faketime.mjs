/**
 * Finds libfaketime, by which the fault suite gives processes clocks that are wrong, or gets it: apt as root or with sudo. Where there can be none
 * the suite leaves those faults out, and says so.
 */
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { runs } from './package-manager.mjs'
import { say, step } from './step.mjs'

/** The one for programs with threads: Node has some. */
const LIBRARY = 'libfaketimeMT.so.1'

/** The path of the library; undefined where there can be none, and one line has said why. */
export async function faketimeLibrary() {
  const found = library()
  if (found) return found
  const why = await installed()
  const now = library()
  if (now === undefined) say(`there is no libfaketime, so no fault sets a clock wrong: ${why ?? `the package holds no ${LIBRARY}`}; install faketime (Debian and Ubuntu: apt-get install faketime)`)
  return now
}

/** Undefined when apt did it, else why not. */
async function installed() {
  if (process.platform !== 'linux') return 'it is for Linux only here'
  if (!runs('apt-get', ['--version'])) return 'there is no apt-get to bring it'
  const root = process.getuid?.() === 0 ? [] : runs('sudo', ['-n', 'true']) ? ['sudo', '-n'] : undefined
  if (!root) return 'only root can install it'
  for (const action of [['update'], ['install', '--yes', '--no-install-recommends', 'faketime']]) {
    const [program, ...args] = [...root, 'env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', '-qq', ...action]
    const { ok, output } = await step(`apt-get ${action[0]} ${action.at(-1) === 'update' ? '' : 'faketime'}`.trim(), program, args)
    if (!ok) return `apt-get ${action[0]} failed: ${output.trim().split('\n').at(-1)}`
  }
  return undefined
}

/** `/usr/lib/<machine>/faketime/`, by Debian's rules. */
function library() {
  const machines = existsSync('/usr/lib') ? readdirSync('/usr/lib') : []
  return ['/usr/lib', '/usr/local/lib', ...machines.map((machine) => join('/usr/lib', machine))].map((folder) => join(folder, 'faketime', LIBRARY)).find((path) => existsSync(path))
}
