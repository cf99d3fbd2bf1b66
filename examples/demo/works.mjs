/** What an agent does with a task, by the task's type. The shares of a work come to one. */
import { converse } from './conversation.mjs'
import { Shift } from './shift.mjs'
import { OUTPUTS, STEPS } from './words.mjs'

/** Minutes of story that a conversation takes. */
const TALK = 1.6

/** @param {import('./shift.mjs').Player} player @returns {import('@hubbub/client').TaskHandler} */
export function playing(player) {
  return async (task, context) => {
    const shift = new Shift(task, context, player)
    const refusal = shift.trouble('refuses')
    if (refusal?.kind === 'refuses') return await refuse(shift, refusal)
    await shift.say('agent.started', { taskId: task.id, taskTitle: task.title, streamId: task.streamId, activityDescription: `works on ${task.title}`, phase: task.type })
    await shift.takeOver()
    const result = await (WORKS[task.type ?? ''] ?? ordinary)(shift)
    await shift.say('agent.completed', { taskId: task.id, result })
    return result
  }
}

/**
 * Given back, for somebody else. The client holds the task for accepted and reports on it once more, which the hub refuses: the lease is over.
 * @param {Shift} shift @param {{ times: number, reason: string }} refusal
 */
async function refuse(shift, { times, reason }) {
  const { task, player } = shift
  if (times > 1) player.troubles.get(task.id)?.unshift({ kind: 'refuses', times: times - 1, reason })
  player.givenBack.add(task.id)
  await shift.log(`giving it back: ${reason}`, 'warn')
  await shift.say('task.rejected', { taskId: task.id, leaseToken: task.leaseToken, reason })
}

/** @type {Readonly<Record<string, (shift: Shift) => Promise<Record<string, unknown>>>>} */
const WORKS = { code: develop, review, deploy, test: verify }

// ---------------------------------------------------------------- planning, writing

/** Steps of its type, a conversation behind the first. @param {Shift} shift */
async function ordinary(shift) {
  const type = shift.task.type ?? 'plan'
  const steps = STEPS[/** @type {keyof typeof STEPS} */ (type)] ?? STEPS.plan
  for (const [place, step] of steps.entries()) {
    await shift.log(step)
    await shift.work(1 / steps.length, step)
    if (place === 0) await converse(shift, TALK)
    await shift.confidence(0.5 + (0.4 * (place + 1)) / steps.length)
  }
  for (const line of OUTPUTS[/** @type {keyof typeof OUTPUTS} */ (type)] ?? []) await shift.output(line)
  if (shift.change) await publishBranch(shift, shift.change)
  return { summary: `${shift.task.title}: done`, words: shift.chance.whole(400, 1400) }
}

// ---------------------------------------------------------------- code, by tests

/** Red, green, refactor, for two lots of its specs; a branch, a pull request and its checks on the way. @param {Shift} shift */
async function develop(shift) {
  const specs = /** @type {string[]} */ (shift.task.parameters.specs ?? ['does what it should'])
  const half = Math.ceil(specs.length / 2)
  const { player, change, task, chance } = shift
  const { github, id } = player
  if (change) await github.branchCreated(change, id)
  let coverage = 52 + chance.whole(0, 10)
  let passing = 0
  for (const [round, lot] of [specs.slice(0, half), specs.slice(half)].entries()) {
    const total = passing + lot.length
    await phase(shift, 'red', { total, passing, failing: lot.length }, coverage)
    await tests(shift, passing, lot)
    await shift.work(0.1, `red: ${lot[0]}`)
    if (round === 0) await converse(shift, TALK)
    for (const [place, spec] of lot.entries()) {
      await shift.work(0.22 / lot.length, `green: ${spec}`)
      await tests(shift, passing + place + 1, lot.slice(place + 1))
    }
    passing = total
    coverage = Math.min(97, coverage + chance.whole(8, 14))
    await phase(shift, 'green', { total, passing, failing: 0 }, coverage)
    if (change) await github.pushed(change, id, task.id, `${task.title}: ${lot.join(', ')}`)
    if (change && round === 0) await github.opened(change, id, task.id, task.title ?? task.id)
    await shift.checkpoint(round + 1, 'green')
    await phase(shift, 'refactor', { total, passing, failing: 0 }, coverage)
    await shift.work(0.18, 'refactor: taking out what stands twice')
    await shift.confidence(Math.min(0.97, 0.62 + 0.15 * round + chance.next() * 0.1))
    // The first lot's checks find what the agent's own machine did not.
    if (change) await github.checked(change, id, round === 0 && chance.next() < 0.4 ? 'failure' : 'success')
  }
  if (change) await github.readyForReview(change, id)
  await shift.say('agent.handoff', { toAgent: chance.one(['reviewer-gus', 'reviewer-hana']), taskId: task.id, handoffContext: 'ready for review', chainPosition: 1, chainLength: 2 })
  return { branch: change?.branch, pullRequest: change?.number, tests: { passing, failing: 0 }, coverage }
}

/** @param {Shift} shift @param {'red' | 'green' | 'refactor'} currentPhase @param {object} testResults @param {number} lines */
async function phase(shift, currentPhase, testResults, lines) {
  const coverage = { lines, branches: Math.max(0, lines - 9), functions: Math.min(100, lines + 3) }
  await shift.say('tdd.phase_changed', { taskId: shift.task.id, currentPhase, testResults, coverage })
  if (currentPhase !== 'red') await shift.say('tdd.coverage_updated', { taskId: shift.task.id, ...coverage })
}

/** @param {Shift} shift @param {number} passing @param {string[]} open */
async function tests(shift, passing, open) {
  const duration = shift.chance.whole(700, 4200)
  const failures = open.map((name) => ({ name, message: 'expected the order to be paid, got "pending"' }))
  await shift.say('tdd.test_result', { taskId: shift.task.id, passing, failing: open.length, total: passing + open.length, duration, failures })
  await shift.output(`${open.length === 0 ? 'PASS' : 'FAIL'} ${passing} passing, ${open.length} failing (${duration} ms)`, open.length === 0 ? 'stdout' : 'stderr')
}

// ---------------------------------------------------------------- tests, reviews, deployments

/** @param {Shift} shift */
async function verify(shift) {
  const total = shift.chance.whole(180, 640)
  await shift.say('gate.running', { gate: shift.task.title, taskId: shift.task.id })
  for (const [place, step] of STEPS.test.entries()) {
    await shift.log(step)
    await shift.work(1 / STEPS.test.length, step)
    const passing = Math.round((total * (place + 1)) / STEPS.test.length)
    await shift.say('tdd.test_result', { taskId: shift.task.id, passing, failing: 0, total, duration: shift.chance.whole(20_000, 90_000) })
    if (place === 0 && shift.chance.next() < 0.5) await converse(shift, TALK)
  }
  for (const line of OUTPUTS.test) await shift.output(line)
  await shift.say('agent.metric', { metrics: { testsRun: total, testSeconds: shift.chance.whole(90, 300) } })
  return { passing: total, failing: 0 }
}

/** @param {Shift} shift */
async function review(shift) {
  const { player: { github, id }, change, chance } = shift
  for (const [place, step] of STEPS.review.entries()) {
    await shift.log(step)
    await shift.work(1 / STEPS.review.length, step)
    if (place === 1) await converse(shift, TALK)
    if (change && place === 2) await github.commented(change, id)
  }
  if (change) {
    await github.approved(change, id)
    await github.merged(change, id)
  }
  return { verdict: 'approved', remarks: chance.whole(1, 4) }
}

/** @param {Shift} shift */
async function deploy(shift) {
  const { player, repository, chance, task } = shift
  const environment = typeof task.parameters.environment === 'string' ? task.parameters.environment : undefined
  for (const [place, step] of STEPS.deploy.entries()) {
    await shift.log(step)
    if (place === 1 && environment) await player.github.deployed(repository, environment, 'in_progress', player.id)
    await shift.work(1 / STEPS.deploy.length, step)
    if (place === 2 && environment) await converse(shift, TALK)
  }
  for (const line of OUTPUTS.deploy) await shift.output(line)
  if (environment) await player.github.deployed(repository, environment, 'success', player.id)
  return { environment, image: `registry.example/${repository}:${chance.whole(1000, 9999)}`, replicas: 6 }
}

/** Of pages: one push, a pull request, green checks. @param {Shift} shift @param {import('./github.mjs').Change} change */
async function publishBranch({ player: { github, id }, task }, change) {
  const title = task.title ?? task.id
  await github.branchCreated(change, id)
  await github.pushed(change, id, task.id, `${title}: ready`)
  await github.opened(change, id, task.id, title)
  await github.checked(change, id, 'success')
  await github.merged(change, id)
}
