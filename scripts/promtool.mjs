/**
 * Finds Prometheus' own `promtool`, with which tests check the metrics page and the alert rules, or gets it: Debian's package, of which
 * only this program is taken, so that no Prometheus is installed or started. `PROMTOOL` names one that stands elsewhere.
 */
import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runs } from './package-manager.mjs'
import { giveUp, ROOT, say, step } from './step.mjs'

/** Outside of the tree: `npm ci` throws it away with the rest. */
const FOLDER = join(ROOT, 'node_modules/.cache/prometheus')
const PROGRAM = join(FOLDER, 'promtool')
const BY_HAND = 'install Prometheus (macOS: brew install prometheus), or name a promtool with PROMTOOL'

/** The path of the program; undefined where there can be none, and one line has said why. */
export async function promtoolProgram() {
  const named = process.env.PROMTOOL
  if (named) return runs(named, ['--version']) ? named : giveUp(`PROMTOOL names ${named}, which does not run.`)
  if (runs('promtool', ['--version'])) return 'promtool'
  if (existsSync(PROGRAM) && runs(PROGRAM, ['--version'])) return PROGRAM
  const why = await fetched()
  if (why === undefined) return PROGRAM
  say(`there is no promtool, and tests that need it will fail: ${why}; ${BY_HAND}`)
  return undefined
}

/** Undefined when it stands in the folder, else why not. */
async function fetched() {
  if (!runs('apt-get', ['--version']) || !runs('dpkg-deb', ['--version'])) return 'there is none on PATH, and no apt-get to bring one'
  const work = mkdtempSync(join(tmpdir(), 'hubbub-promtool-'))
  try {
    // Needs no root: nothing is installed. A list of packages may be missing on a fresh machine, and only root can fetch it.
    let download = await downloaded(work)
    if (!download.ok && process.getuid?.() === 0) {
      await step('apt-get update', 'apt-get', ['-qq', 'update'])
      download = await downloaded(work)
    }
    const archive = readdirSync(work).find((name) => name.endsWith('.deb'))
    if (!download.ok || !archive) return `apt-get download prometheus failed: ${lastLine(download.output)}`
    const unpacked = await step('unpacking promtool', 'dpkg-deb', ['-x', join(work, archive), join(work, 'unpacked')])
    const found = join(work, 'unpacked/usr/bin/promtool')
    if (!unpacked.ok || !existsSync(found)) return `the package prometheus holds no promtool: ${lastLine(unpacked.output)}`
    mkdirSync(FOLDER, { recursive: true })
    moved(found)
    return runs(PROGRAM, ['--version']) ? undefined : 'the package\'s promtool does not run here'
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

/** apt's own user cannot write into our folder, and says so; the download is whole all the same. */
function downloaded(folder) {
  return step('apt-get download prometheus', 'sh', ['-c', 'cd "$1" && apt-get -qq -o APT::Sandbox::User=root download prometheus', 'sh', folder])
}

/** Whole or not at all: two runs may fetch it at once. */
function moved(found) {
  const beside = `${PROGRAM}.${process.pid}`
  const { status } = spawnSync('cp', [found, beside])
  if (status !== 0) return
  chmodSync(beside, 0o755)
  renameSync(beside, PROGRAM)
}

function lastLine(output) {
  return (output.trim().split('\n').at(-1) ?? '').slice(0, 300)
}
