/** Finds a redis-server for the tests, or gets one: apt as root or with sudo, Homebrew. */
import { spawnSync } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { giveUp, say, step } from './step.mjs'

/** Sharded pub/sub came with it. */
const OLDEST = 7
/** Where package managers put it, should PATH not name them. */
const USUAL = ['/usr/bin', '/usr/local/bin', '/opt/homebrew/bin']

/** The folder with a redis-server that is new enough; ends the process with one clear line where there can be none. */
export async function redisFolder() {
  const path = (process.env.PATH ?? '').split(delimiter).filter(Boolean)
  const found = firstWithin(path) ?? (await fetched([...path, ...USUAL]))
  const version = /v=(\d+)\.[\d.]+/.exec(spawnSync(join(found, 'redis-server'), ['--version'], { encoding: 'utf8' }).stdout ?? '')
  if (!version || Number(version[1]) < OLDEST) {
    giveUp(`the tests need redis-server ${OLDEST} or later; ${join(found, 'redis-server')} is ${version ? version[0].slice(2) : 'not runnable'}. Install a newer one.`)
  }
  return found
}

async function fetched(folders) {
  say('there is no redis-server on PATH; the tests need one')
  const way = packageManager()
  if (!way) giveUp('install redis-server 7 or later (Debian and Ubuntu: apt-get install redis-server; macOS: brew install redis) and run the command again.')
  for (const { title, command } of way) {
    const { ok, output } = await step(title, command[0], command.slice(1), { DEBIAN_FRONTEND: 'noninteractive', HOMEBREW_NO_AUTO_UPDATE: '1' })
    if (!ok) giveUp(`${command.join(' ')} failed: ${output.trim().split('\n').at(-1)}. Install redis-server ${OLDEST} or later and run the command again.`)
  }
  return firstWithin(folders) ?? giveUp('the package manager is done, yet there is no redis-server on PATH. Install one and run the command again.')
}

function packageManager() {
  if (runs('apt-get', ['--version'])) {
    const root = process.getuid?.() === 0 ? [] : runs('sudo', ['-n', 'true']) ? ['sudo', '-n'] : undefined
    // sudo drops our environment: it is told what apt needs.
    const apt = root && [...root, ...(root.length > 0 ? ['env', 'DEBIAN_FRONTEND=noninteractive'] : []), 'apt-get', '-qq']
    return apt && [
      { title: 'apt-get update', command: [...apt, 'update'] },
      { title: 'apt-get install redis-server', command: [...apt, 'install', '--yes', '--no-install-recommends', 'redis-server'] },
    ]
  }
  if (runs('brew', ['--version'])) return [{ title: 'brew install redis', command: ['brew', 'install', '--quiet', 'redis'] }]
  return undefined
}

function runs(command, args) {
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0
}

function firstWithin(folders) {
  return folders.find((folder) => {
    try {
      accessSync(join(folder, 'redis-server'), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}
