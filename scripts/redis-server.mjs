/** Finds a redis-server for the tests, or gets one: apt as root or with sudo, Homebrew. */
import { spawnSync } from 'node:child_process'
import { delimiter, join } from 'node:path'
import { bring, isProgram } from './package-manager.mjs'
import { giveUp, say } from './step.mjs'

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
  await bring('redis-server', { brew: ['redis'], byHand: `Install redis-server ${OLDEST} or later (Debian and Ubuntu: apt-get install redis-server; macOS: brew install redis) and run the command again.` })
  return firstWithin(folders) ?? giveUp('the package manager is done, yet there is no redis-server on PATH. Install one and run the command again.')
}

function firstWithin(folders) {
  return folders.find((folder) => isProgram(join(folder, 'redis-server')))
}
