/** Finds a Chromium for the tests of pages, or gets one: apt as root or with sudo, Homebrew. `CHROMIUM` names one that stands elsewhere. */
import { delimiter, join } from 'node:path'
import { bring, isProgram, runs } from './package-manager.mjs'
import { giveUp, say } from './step.mjs'

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
  await bring('chromium', { brew: ['--cask', 'chromium'], byHand: BY_HAND })
  return present() ?? giveUp(`the package manager is done, yet there is no Chromium that runs. ${BY_HAND}`)
}
