/** Programs from the machine's package manager: apt as root or with sudo, Homebrew. */
import { spawnSync } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { giveUp, step } from './step.mjs'

/** Environment in which package managers ask nothing, and do nothing else first. */
export const UNATTENDED = { DEBIAN_FRONTEND: 'noninteractive', HOMEBREW_NO_AUTO_UPDATE: '1' }

/**
 * Installs a package; ends the process with one clear line where that cannot be.
 * @param name the same in apt and in Homebrew, unless `brew` says otherwise
 * @param byHand what a person is told to do instead
 */
export async function bring(name, { brew = [name], byHand }) {
  const way = wayTo(name, brew)
  if (!way) giveUp(byHand)
  for (const { title, command } of way) {
    const { ok, output } = await step(title, command[0], command.slice(1), UNATTENDED)
    if (!ok) giveUp(`${command.join(' ')} failed: ${output.trim().split('\n').at(-1)}. ${byHand}`)
  }
}

/** A file that may be run; `runs` says whether it can be. */
export function isProgram(path) {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

export function runs(command, args) {
  return spawnSync(command, args, { stdio: 'ignore', timeout: 20_000 }).status === 0
}

/** The commands that bring a package without a password; undefined where there are none. */
export function wayTo(name, brew = [name]) {
  if (runs('apt-get', ['--version'])) {
    const root = process.getuid?.() === 0 ? [] : runs('sudo', ['-n', 'true']) ? ['sudo', '-n'] : undefined
    // sudo drops our environment: it is told what apt needs.
    const apt = root && [...root, ...(root.length > 0 ? ['env', 'DEBIAN_FRONTEND=noninteractive'] : []), 'apt-get', '-qq']
    return apt && [
      { title: 'apt-get update', command: [...apt, 'update'] },
      { title: `apt-get install ${name}`, command: [...apt, 'install', '--yes', '--no-install-recommends', name] },
    ]
  }
  if (runs('brew', ['--version'])) return [{ title: `brew install ${brew.at(-1)}`, command: ['brew', 'install', '--quiet', ...brew] }]
  return undefined
}
