/** Finds a Chromium for the tests of pages, or gets one: apt as root or with sudo, Homebrew. `CHROMIUM` names one that stands elsewhere. */
import { spawnSync } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { giveUp, say, step } from './step.mjs'

const NAMES = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome', 'Chromium', 'Google Chrome']
/** Where package managers and installers put it, should PATH not name them. */
const USUAL = ['/usr/bin', '/usr/local/bin', '/opt/homebrew/bin', '/Applications/Chromium.app/Contents/MacOS', '/Applications/Google Chrome.app/Contents/MacOS']
const BY_HAND = 'Install Chromium or Chrome (Debian: apt-get install chromium; macOS: brew install --cask chromium), or name one with CHROMIUM, and run the command again.'

/** The path of its program; ends the process with one clear line where there can be none. */
export async function chromiumProgram() {
  const named = process.env.CHROMIUM
  if (named) return runs(named, ['--version']) ? named : giveUp(`CHROMIUM names ${named}, which does not run.`)
  return present() ?? (await fetched())
}

/** The path of an installed one, or undefined. */
function present() {
  const folders = [...new Set([...(process.env.PATH ?? '').split(delimiter).filter(Boolean), ...USUAL])]
  const programs = NAMES.flatMap((name) => folders.map((folder) => join(folder, name))).filter(isProgram)
  // Ubuntu's package is a script that only asks for the snap.
  return programs.find((program) => runs(program, ['--version']))
}

async function fetched() {
  say('there is no Chromium; the tests of pages need one')
  const way = packageManager()
  if (!way) giveUp(BY_HAND)
  for (const { title, command } of way) {
    const { ok, output } = await step(title, command[0], command.slice(1), { DEBIAN_FRONTEND: 'noninteractive', HOMEBREW_NO_AUTO_UPDATE: '1' })
    if (!ok) giveUp(`${command.join(' ')} failed: ${output.trim().split('\n').at(-1)}. ${BY_HAND}`)
  }
  return present() ?? giveUp(`the package manager is done, yet there is no Chromium that runs. ${BY_HAND}`)
}

function packageManager() {
  if (runs('apt-get', ['--version'])) {
    const root = process.getuid?.() === 0 ? [] : runs('sudo', ['-n', 'true']) ? ['sudo', '-n'] : undefined
    // sudo drops our environment: it is told what apt needs.
    const apt = root && [...root, ...(root.length > 0 ? ['env', 'DEBIAN_FRONTEND=noninteractive'] : []), 'apt-get', '-qq']
    return apt && [
      { title: 'apt-get update', command: [...apt, 'update'] },
      { title: 'apt-get install chromium', command: [...apt, 'install', '--yes', '--no-install-recommends', 'chromium'] },
    ]
  }
  if (runs('brew', ['--version'])) return [{ title: 'brew install chromium', command: ['brew', 'install', '--quiet', '--cask', 'chromium'] }]
  return undefined
}

function runs(command, args) {
  return spawnSync(command, args, { stdio: 'ignore', timeout: 20_000 }).status === 0
}

function isProgram(path) {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
