/** `npm run demo`: sets the stage, plays hour after hour until Ctrl-C, and clears the stage. */
import { connect } from '@hubbub/client'
import { constants } from 'node:os'
import { readArguments, USAGE } from './arguments.mjs'
import { startClock } from './clock.mjs'
import { Engine } from './engine.mjs'
import { Fleet } from './fleet.mjs'
import { GitHub } from './github.mjs'
import { makeKeys, startOwnHub } from './hub.mjs'
import { PLANS } from './plans.mjs'
import { HOUR_MINUTES, playHour, tagOf } from './story.mjs'
import { showProgress } from './terminal.mjs'

const ENGINE = 'delivery-engine'
const STOPPED = 'stopped'
const CALL_OFF_MS = 5000
const say = (/** @type {string} */ line) => process.stdout.write(`${line}\n`)

const asked = readArguments(process.argv.slice(2), process.env)
if ('problem' in asked) {
  process.stderr.write(`demo: ${asked.problem}\n${USAGE}\n`)
  process.exit(2)
}
if (asked.help) {
  say(USAGE)
  process.exit(0)
}

const stop = new AbortController()
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
  process.on(signal, () => {
    if (stop.signal.aborted) process.exit(128 + constants.signals[signal])
    stop.abort(new Error(STOPPED))
  })
}

try {
  process.exitCode = await perform(asked)
} catch (error) {
  process.stderr.write(`demo: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}
// A connection of `fetch` that is kept alive is no reason to stay.
process.exit()

/** @param {import('./arguments.mjs').Arguments} options @returns {Promise<number>} exit code */
async function perform({ url, token, githubSecret, port, speed, seed, once }) {
  const own = url === undefined ? await startOwnHub({ speed, port }) : undefined
  const place = own ?? { url: String(url), token: String(token), githubSecret }
  void own?.gone.then((output) => stop.signal.aborted || stop.abort(new Error(`the hub ended:\n${output}`)))
  try {
    return await playAt({ ...place, speed, seed, once })
  } finally {
    await own?.stop()
  }
}

/** @param {{ url: string, token: string, githubSecret?: string, speed: number, seed: number, once: boolean }} options */
async function playAt({ url, token, githubSecret, speed, seed, once }) {
  const { keys, revoke } = await makeKeys({ url, token }, ENGINE)
  say(`\n  dashboard   ${url}/#token=${token}\n`)
  say(`  an hour in ${minutes(HOUR_MINUTES / speed)}${once ? '' : ', then the next one'}; seed ${seed}; Ctrl-C ends it`)
  if (!githubSecret) say('  no GitHub traffic: --github-secret is not given')
  say('')

  const { refusals, refused } = bookOfRefusals()
  const clock = startClock(speed)
  const troubles = new Map()
  const client = connect(url, { apiKey: keys.get(ENGINE) })
  client.onError((error) => error.retryable || refused(error, false))
  const github = new GitHub({ url, secret: githubSecret, clock, refused: (error) => refused(error, false) })
  const fleet = new Fleet({ url, keys, githubSecret, seed, clock, troubles, refused })
  /** @type {Engine | undefined} */
  let engine
  const screen = showProgress({ clock, figures: () => figures(fleet, engine) })
  try {
    for (let hour = 1; ; hour++) {
      const current = (engine = new Engine({ client, clock, seed, tag: tagOf(seed, hour), refused }))
      const trouble = (/** @type {string} */ task, /** @type {import('./shift.mjs').Trouble} */ one) => {
        const id = current.idOf(task)
        troubles.set(id, [...(troubles.get(id) ?? []), one])
      }
      await playHour({ fleet, engine: current, github, trouble, signal: stop.signal }, { clock, tell: (what) => screen.beat(what) })
      screen.line(summary(hour, current, github.sent + fleet.delivered, refusals))
      if (once) break
      await current.close()
      screen.newHour()
    }
  } catch (error) {
    const isAsked = stop.signal.aborted && /** @type {Error} */ (stop.signal.reason).message === STOPPED
    if (isAsked) screen.line('stopping in order; Ctrl-C once more stops at once')
    // A hub that is gone answers nothing.
    await Promise.race([engine?.callOff(), new Promise((resolve) => setTimeout(resolve, CALL_OFF_MS).unref())])
    if (!isAsked) throw stop.signal.aborted ? stop.signal.reason : error
  } finally {
    screen.stop()
    await fleet.leave()
    client.close()
    // With the hub gone there is nothing to revoke.
    await revoke().catch(() => undefined)
  }
  const unintended = refusals.filter(({ intended }) => !intended)
  for (const { text } of unintended) process.stderr.write(`refused: ${text}\n`)
  return unintended.length === 0 ? 0 : 1
}

/** What the hub did not take, but for what it refuses because the play ends. */
function bookOfRefusals() {
  /** @type {{ text: string, intended: boolean }[]} */
  const refusals = []
  return {
    refusals,
    refused: (/** @type {unknown} */ error, /** @type {boolean} */ intended) => {
      const { code, message, details } = /** @type {{ code?: string, message?: string, details?: object }} */ (error)
      if (!stop.signal.aborted) refusals.push({ text: `${code ?? 'error'}: ${message ?? String(error)} ${JSON.stringify(details ?? {})}`, intended })
    },
  }
}

/** @param {Fleet} fleet @param {Engine | undefined} engine */
function figures(fleet, engine) {
  const tasks = engine?.tasks ?? []
  const count = (/** @type {string} */ status) => tasks.filter((task) => task.status === status).length
  return `${fleet.size} agents, ${tasks.length} tasks: ${count('completed')} completed, ${count('in_progress')} in work, ${count('failed')} failed`
}

/** @param {number} hour @param {Engine} engine @param {number} deliveries @param {{ intended: boolean }[]} refusals */
function summary(hour, engine, deliveries, refusals) {
  const { tasks, running } = engine
  const count = (/** @type {string} */ status) => tasks.filter((task) => task.status === status).length
  const ends = PLANS.flatMap(({ name }) => running.get(name) ?? []).map(({ id, live }) => `${id} ${live.get('pipeline', id)?.status ?? 'unknown'}`)
  const intended = refusals.filter((one) => one.intended).length
  return [
    `hour ${hour}: ${ends.join(', ')}; ${tasks.length} tasks: ${count('completed')} completed, ${count('failed')} failed, ${count('cancelled')} cancelled`,
    `${tasks.filter(({ tries }) => tries.length > 0).length} retried; ${deliveries} deliveries of GitHub; refused: ${intended} as intended, ${refusals.length - intended} besides`,
  ].join('; ')
}

function minutes(/** @type {number} */ count) {
  return count < 1 ? `${Math.round(count * 60)} s` : `${Math.round(count * 10) / 10} min`
}
