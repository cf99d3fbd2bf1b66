/**
 * The hour, minute by minute. What stands here begins at that minute; what follows from it (who gets which task, when a pipeline ends) is
 * the hub's doing. `trouble` is in store for a task and comes when its agent does.
 */
import { DOCS, NIGHTLY, RELEASE } from './plans.mjs'
import { ISSUES } from './words.mjs'

/**
 * @typedef {object} Stage
 * @property {import('./fleet.mjs').Fleet} fleet
 * @property {import('./engine.mjs').Engine} engine
 * @property {import('./github.mjs').GitHub} github
 * @property {(task: string, trouble: import('./shift.mjs').Trouble) => void} trouble
 * @property {AbortSignal} signal
 *
 * @typedef {[minute: string, what: string, act: (stage: Stage) => Promise<unknown> | void]} Beat
 */

const SHOP = RELEASE.repository
const STORE = NIGHTLY.repository

/** @type {readonly Beat[]} */
export const HOUR = [
  ['00:00', 'the fleet signs on', ({ fleet }) => fleet.signOn()],
  ['00:05', 'the release is planned', ({ engine }) => engine.open(RELEASE)],
  ['00:10', 'payments will wait for their sandbox', ({ trouble }) => trouble('payment-retries', { kind: 'blocks', minutes: 4, reason: 'the provider\'s sandbox wants new credentials' })],
  ['00:10', 'order events will rest', ({ trouble }) => trouble('order-events', { kind: 'pauses', minutes: 3, reason: 'resting: the broker is being moved' })],
  ['00:30', 'a customer opens an issue', ({ github }) => github.issueOpened(SHOP, ISSUES[0] ?? '', 371)],

  ['00:45', 'the nightly regression begins', ({ engine }) => engine.open(NIGHTLY)],
  ['00:50', 'the load test will hang', ({ trouble }) => trouble('load-test', { kind: 'hangs', minutes: 9, reason: 'waiting for the load generators' })],
  ['00:50', 'nobody has seats for the browsers', ({ trouble }) => trouble('browser-matrix', { kind: 'refuses', times: 2, reason: 'no free seats on the browser farm' })],
  ['00:50', 'the browsers will find something', ({ trouble }) => trouble('browser-matrix', { kind: 'fails', percent: 60, reason: '14 of 212 specs failed: the checkout button is under the banner on small screens' })],
  ['01:30', 'a star for the shop', ({ github }) => github.happened('star', SHOP, 'octofan')],
  ['03:00', 'another issue', ({ github }) => github.issueOpened(STORE, ISSUES[1] ?? '', 1204)],
  ['04:00', 'the team is told', ({ engine }) => engine.notice('info', 'Release planned', 'Two lanes: cart and payments. Gift cards may be dropped.')],
  ['07:00', 'a dependency has a hole', ({ github }) => github.happened('dependabot_alert', STORE, 'dependabot')],
  ['09:30', 'somebody discusses', ({ github }) => github.happened('discussion', SHOP, 'a-customer')],

  ['11:00', 'coder-ravi dies in the middle of a task', ({ fleet, signal }) => fleet.crash('coder-ravi', signal)],
  ['12:00', 'the documentation is rebuilt', ({ engine }) => engine.open(DOCS)],
  ['14:00', 'another issue', ({ github }) => github.issueOpened(SHOP, ISSUES[2] ?? '', 372)],
  ['16:00', 'the sandbox is back', ({ engine }) => engine.notice('info', 'Sandbox credentials renewed', 'Payments can go on.')],
  ['19:00', 'gift cards are dropped', ({ engine }) => engine.cancel('gift-cards', 'out of scope for this release')],
  ['20:00', 'a laptop wakes up and sends what it did long ago', ({ engine, signal }) => engine.lateResult('plan-release', signal)],
  ['21:00', 'the load test moves again', ({ engine }) => engine.notice('warning', 'Load test was stalled', 'Its agent beat, but nothing moved for nine minutes.')],
  ['22:00', 'a fork', ({ github }) => github.happened('fork', SHOP, 'octofan')],
  ['24:00', 'coder-ravi is back', async ({ fleet, engine, signal }) => {
    // Back too early it would get its own task again, and nobody would see another one take it.
    await engine.takenFrom('coupon-rules', 'coder-ravi', signal)
    await fleet.comeBack('coder-ravi')
  }],
  ['29:00', 'another issue', ({ github }) => github.issueOpened(SHOP, ISSUES[3] ?? '', 373)],
  ['33:00', 'a star for the documentation', ({ github }) => github.happened('star', DOCS.repository, 'reader')],
  ['37:00', 'the morning hears of the night', ({ engine }) => engine.notice('error', 'Nightly regression', 'The browser matrix failed: 14 of 212 specs.')],
  ['42:00', 'another issue', ({ github }) => github.issueOpened(DOCS.repository, ISSUES[5] ?? '', 58)],
  ['47:00', 'a comment', ({ github }) => github.happened('issue_comment', SHOP, 'a-customer')],
  ['52:00', 'production is next', ({ engine }) => engine.notice('info', 'Deploying to production', 'Ten percent of the traffic first.')],
  ['58:00', 'the release is published', ({ github }) => github.happened('release', SHOP, 'ops-kim')],
]

/** When everything should be done, minutes. */
export const HOUR_MINUTES = 60

/**
 * Plays one hour on the stage. Resolves when all pipelines have ended; rejects when it is stopped, and with what a beat failed with.
 * @param {Stage} stage @param {{ clock: import('./clock.mjs').Clock, tell: (beat: string) => void }} time
 */
export async function playHour(stage, { clock, tell }) {
  const from = clock.minute()
  const broken = new AbortController()
  const signal = AbortSignal.any([stage.signal, broken.signal])
  /** @type {Promise<unknown>[]} */
  const acts = []
  try {
    for (const [face, what, act] of HOUR) {
      await clock.until(from + minuteOf(face), signal)
      tell(what)
      // Beats that wait for something do not hold up the others; only without the fleet there is nothing to see.
      const acting = Promise.resolve(act({ ...stage, signal })).catch((error) => broken.abort(error))
      acts.push(acting)
      if (face === '00:00') await acting
    }
    await orAborted(Promise.all(acts), signal)
    await orAborted(stage.engine.ended(), signal)
    await clock.until(from + HOUR_MINUTES, signal)
  } catch (error) {
    throw broken.signal.aborted ? broken.signal.reason : error
  }
}

/** Stands in every id of the hour: no two hours share a task. @param {number} seed @param {number} hour */
export function tagOf(seed, hour) {
  return `${seed}.${hour}`
}

function minuteOf(/** @type {string} */ face) {
  const [minutes = 0, seconds = 0] = face.split(':').map(Number)
  return minutes + seconds / 60
}

/** @template T @param {Promise<T>} promise @param {AbortSignal} signal @returns {Promise<T>} */
function orAborted(promise, signal) {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted()
    signal.addEventListener('abort', () => reject(/** @type {Error} */ (signal.reason)), { once: true })
    promise.then(resolve, reject)
  })
}
