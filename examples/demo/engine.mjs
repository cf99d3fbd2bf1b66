/** The workflow engine: hands pipelines to the hub, follows them, and says of steps what only an engine knows. */
import { HubError } from '@hubbub/client'
import { chanceOf } from './clock.mjs'

/**
 * @typedef {import('./plans.mjs').Plan} Plan
 * @typedef {object} Running
 * @property {Plan} plan
 * @property {string} id
 * @property {import('@hubbub/client').LiveState} live
 * @property {Promise<void>} ended resolves when nothing is left to do
 */

/** Where a deployment goes. @type {Readonly<Record<string, string>>} */
const ENVIRONMENTS = { 'deploy-staging': 'staging', 'deploy-production': 'production', 'publish-site': 'docs' }

export class Engine {
  /** @type {Map<string, Running>} */
  running = new Map()

  /**
   * @param {{ client: import('@hubbub/client').Client, clock: import('./clock.mjs').Clock, seed: string | number, tag: string,
   *   refused: (error: unknown, intended: boolean) => void }} options
   * `tag` tells this hour's tasks from other hours'.
   */
  constructor(options) {
    this.options = options
  }

  /** A task's, stream's or pipeline's id on the hub. */
  idOf(/** @type {string} */ name) {
    return name.startsWith('stream:') ? `stream:${name.slice('stream:'.length)}-${this.options.tag}` : `${name}-${this.options.tag}`
  }

  /** All tasks at once: those that come later would open a finished pipeline again. Rejects where this tag was played before. @param {Plan} plan */
  async open(plan) {
    const { client, tag } = this.options
    const pipelineId = this.idOf(plan.name)
    // Watched before there is anything, so that nothing of it is missed.
    const live = await client.watch(`pipeline:${pipelineId}`)
    if (live.get('pipeline', pipelineId)) throw new Error(`${pipelineId} was played on this hub before; --seed with another number gives other ids`)
    await this.say('pipeline.started', { pipelineId, name: `${plan.title} ${tag}` })
    for (const [name, streamName] of Object.entries(plan.streams)) await this.say('stream.progress', { streamId: this.idOf(name), streamName, progressPercentage: 0 })
    if (plan.own) await this.say('task.created', { taskId: this.#ownId(plan), taskTitle: plan.own, pipelineId, stage: plan.stages.length, taskType: 'engine' })
    /** @type {Running} */
    const running = { plan, id: pipelineId, live, ended: Promise.resolve() }
    running.ended = this.#follow(running)
    this.running.set(plan.name, running)
    await Promise.all(plan.tasks.map((task, place) => client.tasks.create(this.#order(plan, task, place))))
  }

  /** Resolves when another agent has taken the task, or it is finished. @param {string} name @param {string} agentId @param {AbortSignal} signal */
  takenFrom(name, agentId, signal) {
    return this.#until(() => {
      const task = this.task(name)
      return task?.finishedAt !== undefined || (task !== undefined && task.attempt > 1 && task.agentId !== agentId && task.status !== 'pending')
    }, signal)
  }

  /** Resolves when one of the pipelines changes so that it holds, or the play ends. @param {() => boolean} holds @param {AbortSignal} signal */
  async #until(holds, signal) {
    if (holds() || signal.aborted) return
    await new Promise((resolve) => {
      const settle = () => {
        for (const off of offs) off()
        signal.removeEventListener('abort', settle)
        resolve(undefined)
      }
      const offs = [...this.running.values()].map(({ live }) => live.onChange(() => holds() && settle()))
      signal.addEventListener('abort', settle)
    })
  }

  /** Resolves when every pipeline that was opened has ended. */
  async ended() {
    await Promise.all([...this.running.values()].map(({ ended }) => ended))
  }

  /** @returns {readonly import('@hubbub/client').TaskView[]} */
  get tasks() {
    return [...this.running.values()].flatMap(({ live }) => live.list('task'))
  }

  task(/** @type {string} */ name) {
    return this.tasks.find(({ id }) => id === this.idOf(name))
  }

  /** Nobody needs it any more. */
  async cancel(/** @type {string} */ name, /** @type {string} */ reason) {
    await this.options.client.tasks.cancel(this.idOf(name), { reason }).catch((error) => this.options.refused(error, false))
  }

  /** Everything that is still open, because the play ends here. Never rejects. */
  async callOff() {
    const open = this.tasks.filter(({ finishedAt, managed }) => finishedAt === undefined && managed)
    await Promise.allSettled(open.map(({ id }) => this.options.client.tasks.cancel(id, { reason: 'The demo was stopped.', timeoutMs: 3000 })))
    for (const { plan, id, live } of this.running.values()) {
      if (plan.own && live.get('pipeline', id)?.finishedAt === undefined) await this.say('pipeline.failed', { pipelineId: id, error: 'The demo was stopped.' })
    }
  }

  async close() {
    await Promise.all([...this.running.values()].map(({ live }) => live.close()))
    this.running.clear()
  }

  notice(/** @type {'info' | 'warning' | 'error'} */ level, /** @type {string} */ title, /** @type {string} */ message) {
    return this.say('system.notification', { level, title, message })
  }

  /**
   * A result of a task that is finished, for whose answer nobody waits: it is refused, and kept as a dead letter.
   * @param {string} name @param {AbortSignal} signal
   */
  async lateResult(name, signal) {
    await this.#until(() => this.task(name)?.finishedAt !== undefined, signal)
    if (signal.aborted) return
    await this.say('task.result', { taskId: this.idOf(name), result: { from: 'a laptop that was closed in between' } }, { ack: 'accepted' })
  }

  /** @param {string} type @param {Record<string, unknown>} data @param {import('@hubbub/client').PublishOptions} [options] */
  async say(type, data, options = {}) {
    try {
      await this.options.client.publish(type, data, options)
    } catch (error) {
      if (!(error instanceof HubError) || error.code !== 'UNAVAILABLE') this.options.refused(error, false)
    }
  }

  #ownId(/** @type {Plan} */ { name }) {
    return this.idOf(`${name}-purge`)
  }

  /** @param {Plan} plan @param {import('./plans.mjs').PlannedTask} task @param {number} place @returns {import('@hubbub/client').TaskOrder} */
  #order(plan, task, place) {
    const { name, type, title, stage, minutes, requires, after = [], stream, priority, specs } = task
    const change = this.#changeOf(plan, task, place)
    const environment = ENVIRONMENTS[name]
    return {
      id: this.idOf(name), type, title, requires, pipelineId: this.idOf(plan.name), stage: stage + 1,
      dependsOn: after.map((other) => this.idOf(other)),
      ...(stream !== undefined && { streamId: this.idOf(stream) }),
      ...(priority !== undefined && { priority }),
      parameters: { minutes, repository: plan.repository, ...(specs && { specs }), ...(environment && { environment }), ...change },
    }
  }

  /** A review is about the branch of another task. @param {Plan} plan @param {import('./plans.mjs').PlannedTask} task @param {number} place */
  #changeOf(plan, task, place) {
    const made = task.reviews === undefined ? place : plan.tasks.findIndex(({ name }) => name === task.reviews)
    const branch = plan.tasks[made]?.branch
    if (branch === undefined) return {}
    const { seed, tag } = this.options
    return { branch: `${branch}-${tag}`, pullRequest: chanceOf(seed, tag, plan.name).whole(10, 90) * 10 + made }
  }

  /** Says which steps are done, and ends what it runs itself. @param {Running} running */
  async #follow(running) {
    const { plan, id, live } = running
    const told = new Set()
    const isThrough = await new Promise((resolve) => {
      const look = () => {
        const tasks = live.list('task')
        for (const [index, step] of plan.stages.entries()) {
          const own = tasks.filter(({ stage, managed }) => stage === index + 1 && managed)
          if (told.has(step) || own.length === 0 || !own.every(({ status }) => status === 'completed' || status === 'cancelled')) continue
          told.add(step)
          const outputs = { tasks: own.length, agents: [...new Set(own.map(({ agentId }) => agentId))] }
          void this.say('pipeline.step_completed', { pipelineId: id, step, stepIndex: index, stage: index + 1, outputs })
        }
        const managed = tasks.filter((task) => task.managed)
        if (managed.length >= plan.tasks.length && managed.every(({ finishedAt }) => finishedAt !== undefined)) resolve(true)
      }
      live.onChange(look)
      live.onEnd(() => resolve(false))
      look()
    })
    if (isThrough && plan.own) await this.#finish(running)
  }

  /** The engine's own task, and with it the pipeline: of one that is not the hub's alone the hub does not know the end. @param {Running} running */
  async #finish({ plan, id, live }) {
    const { clock } = this.options
    const taskId = this.#ownId(plan)
    const failed = live.list('task').filter(({ managed, status }) => managed && status === 'failed').length
    if (failed > 0) return await this.say('pipeline.failed', { pipelineId: id, error: `${failed} tasks failed.` })
    await this.say('task.started', { taskId })
    for (const progress of [30, 60, 90]) {
      await clock.pass(0.5)
      await this.say('task.progress', { taskId, progress, message: 'purging' })
    }
    await this.say('task.completed', { taskId })
    const artifacts = [{ name: 'site', url: 'https://docs.example/payments', bytes: 4_812_733 }, { name: 'sitemap.xml', bytes: 18_204 }]
    await this.say('pipeline.completed', { pipelineId: id, result: { pages: 3 }, artifacts, metrics: { pages: 3, links: 214, minutes: Math.round(clock.minute()) } })
  }
}
