/** One agent at one task: time passes, reports go out, and what the story has in store for the task happens to it. */
import { chanceOf } from './clock.mjs'

/**
 * @typedef {import('@hubbub/client').AgentTask} AgentTask
 * @typedef {import('@hubbub/client').TaskContext} TaskContext
 *
 * What happens to a task when it comes to that: it waits for something, rests, or its agent hangs, for so many minutes; or it is
 * refused so many times; or it fails once so much of it is done.
 * @typedef {{ kind: 'blocks' | 'pauses' | 'hangs', minutes: number, reason: string }
 *   | { kind: 'refuses', times: number, reason: string }
 *   | { kind: 'fails', percent: number, reason: string }} Trouble
 *
 * What an agent needs to play: its name, its client, the story's time, GitHub, and what is in store for tasks, by their id.
 * @typedef {object} Player
 * @property {string} id
 * @property {import('@hubbub/client').Client} client
 * @property {import('./clock.mjs').Clock} clock
 * @property {import('./github.mjs').GitHub} github
 * @property {string | number} seed
 * @property {Map<string, Trouble[]>} troubles
 * @property {Set<unknown>} givenBack ids of tasks whose lease it gave up: one more report of them is refused, as it has to be
 * @property {(error: unknown, intended: boolean) => void} refused
 */

/** Minutes of story between two reports of progress. */
const REPORT_EACH = 0.3
/** Trouble comes in the middle of the work, not before it; percent. */
const TROUBLE_FROM = 25

export class Shift {
  #done = 0

  /** @param {AgentTask} task @param {TaskContext} context @param {Player} player */
  constructor(task, context, player) {
    this.task = task
    this.context = context
    this.player = player
    this.chance = chanceOf(player.seed, task.id)
    this.minutes = Number(task.parameters.minutes ?? 3)
    const { repository, branch, pullRequest } = task.parameters
    this.repository = typeof repository === 'string' ? repository : 'acme/demo'
    /** What it makes, or looks at. @type {import('./github.mjs').Change | undefined} */
    this.change = typeof branch === 'string' ? { repository: this.repository, branch, number: Number(pullRequest) } : undefined
  }

  get percent() {
    return Math.min(99, Math.round(this.#done * 100))
  }

  /** A share of the task, 0 to 1, with progress as it goes. Rejects when the task is called off. */
  async work(/** @type {number} */ share, /** @type {string} */ message) {
    const parts = Math.max(1, Math.round((share * this.minutes) / REPORT_EACH))
    for (let part = 0; part < parts; part++) {
      await this.player.clock.pass((share * this.minutes) / parts, this.context.signal)
      this.#done += share / parts
      await this.context.progress(this.percent, message)
      await this.#suffer()
    }
  }

  /** In this agent's name, about this task. What is refused is told to the player, and nobody stops for it. */
  async say(/** @type {string} */ type, /** @type {Record<string, unknown>} */ data, /** @type {import('@hubbub/client').PublishOptions} */ options = {}) {
    try {
      await this.player.client.publish(type, data, options)
    } catch (error) {
      // Between the hub's taking the task away and this agent's hearing of it.
      if (!this.context.signal.aborted) this.player.refused(error, false)
    }
  }

  log(/** @type {string} */ message, /** @type {import('@hubbub/client').LogLevel} */ level = 'info') {
    return this.context.log(message, level)
  }

  output(/** @type {string} */ output, /** @type {'stdout' | 'stderr'} */ stream = 'stdout') {
    return this.say('agent.output', { output, stream, taskId: this.task.id })
  }

  confidence(/** @type {number} */ confidence) {
    return this.say('task.confidence_updated', { taskId: this.task.id, confidence: Math.round(confidence * 100) / 100 })
  }

  checkpoint(/** @type {number} */ number, /** @type {string} */ phase) {
    return this.say('checkpoint.created', {
      checkpointId: `${this.task.id}-${this.task.attempt}-${number}`, taskId: this.task.id, trigger: 'phase ended', executionPhase: phase,
      executionStep: this.percent, hasDraft: true,
    })
  }

  /** Whoever takes a task over goes on from what the one before left. */
  async takeOver() {
    if (this.task.attempt === 1) return
    const { client } = this.player
    const left = (await client.snapshot(`checkpoint:${this.task.id}`)).list('checkpoint').findLast(({ status }) => status !== 'expired')
    if (left) await this.say('checkpoint.resumed', { checkpointId: left.id, taskId: this.task.id })
    await this.log(left ? `attempt ${this.task.attempt}: going on from checkpoint ${left.id}` : `attempt ${this.task.attempt}: starting over`, 'warn')
  }

  /** Takes the task's next trouble of that kind, if there is one. */
  trouble(/** @type {Trouble['kind'][]} */ ...kinds) {
    const list = this.player.troubles.get(this.task.id) ?? []
    const at = list.findIndex((trouble) => kinds.includes(trouble.kind) && (trouble.kind === 'refuses' || this.percent >= (trouble.kind === 'fails' ? trouble.percent : TROUBLE_FROM)))
    return at < 0 ? undefined : list.splice(at, 1)[0]
  }

  async #suffer() {
    const trouble = this.trouble('blocks', 'pauses', 'hangs', 'fails')
    if (!trouble || trouble.kind === 'refuses') return
    const { id: taskId, title: taskTitle, streamId } = this.task
    await this.log(trouble.reason, trouble.kind === 'fails' ? 'error' : 'warn')
    if (trouble.kind === 'fails') {
      await this.say('agent.error', { message: trouble.reason, code: 'WORK_FAILED', taskId })
      throw new Error(trouble.reason)
    }
    if (trouble.kind === 'blocks') await this.say('task.blocked', { taskId, taskTitle, blockedReason: trouble.reason, streamId })
    if (trouble.kind === 'pauses') await this.say('task.paused', { taskId })
    // One that hangs beats, for its client does, but of its task nothing is heard.
    await this.player.clock.pass(trouble.minutes, this.context.signal)
    await this.log(`going on after ${trouble.minutes} minutes`)
  }
}
