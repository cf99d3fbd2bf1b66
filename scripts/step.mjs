/** Child processes of the commands: quiet steps of the set-up, and the program that is run at the end. */
import './node.mjs'
import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

export const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '..')

export function say(line) {
  // On stderr, so that `npm start | ...` and `--json` carry the program's own output only.
  console.error(`hubbub: ${line}`)
}

/** One line that says what is wrong and what to do about it, then exit 1. */
export function giveUp(line) {
  say(line)
  process.exit(1)
}

/**
 * A step of the set-up: says what it does, that it still does it each 10 s, and how long it took.
 * Answers its output, which is shown by nobody unless it fails: `{ ok, output }`.
 */
export function step(title, command, args, env = {}) {
  say(`${title} ...`)
  const began = Date.now()
  const seconds = () => `${Math.round((Date.now() - began) / 1000)} s`
  const beat = setInterval(() => say(`${title}: ${seconds()} so far`), 10_000)
  return new Promise((done) => {
    const child = spawn(command, args, { cwd: ROOT, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    child.stdout.on('data', (chunk) => (output += chunk))
    child.stderr.on('data', (chunk) => (output += chunk))
    const end = (ok) => {
      clearInterval(beat)
      if (ok) say(`${title}: done in ${seconds()}`)
      done({ ok, output })
    }
    child.once('error', (error) => {
      output += error.message
      end(false)
    })
    child.once('close', (code) => end(code === 0))
  })
}

/**
 * Runs a Node program in the foreground and answers its exit code (128 + n after signal n).
 * `apart`: it gets a process group of its own and each signal once from here. Without that a Ctrl-C reaches it twice, from
 * the terminal and from npm, and the second one means "at once" to a hub that is stopping in order.
 * Otherwise it shares our group: whoever ends the group ends all that the program started.
 */
export function run(args, { env = {}, apart = false } = {}) {
  return new Promise((done) => {
    const child = spawn(process.execPath, args, { cwd: ROOT, env: { ...process.env, ...env }, stdio: 'inherit', detached: apart })
    let last = 0
    const pass = (signal) => {
      if (signal === 'SIGINT' && !apart) return
      if (Date.now() - last < 500) return
      last = Date.now()
      child.kill(signal)
    }
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, pass)
    child.once('error', (error) => giveUp(`cannot run node: ${error.message}`))
    child.once('exit', (code, signal) => done(signal ? 128 + constants.signals[signal] : code))
  })
}
