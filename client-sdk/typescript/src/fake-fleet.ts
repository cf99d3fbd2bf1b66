/** Agents and executors of the fake hub: who registered, what was delegated to them, and what they said about it. */
import {
  canonicalCommand, HubError, isFinished,
  type AgentRegistered, type AgentRegistration, type BroadcastRequest, type BroadcastResult, type CommandAnswer, type CommandRequest, type CommandResult,
  type HubEvent, type PublishRequest, type TaskOrder, type TaskView,
} from '@hubbub/protocol'
import { FakeDelegation } from './fake-delegation.js'
import type { FakeLink } from './fake-link.js'
import type { FakeState } from './fake-state.js'

export type FakeExecutor = (payload: unknown) => unknown

export interface FakeFleetDeps {
  state: FakeState
  links(): Iterable<FakeLink>
  emit(type: string, data: object, topics: string[]): HubEvent
}

/** A fake's agents beat seldom: a test that waits for none of it is not disturbed by it. */
const HEARTBEAT = { intervalMs: 30_000, staleMs: 90_000, offlineMs: 120_000 }

export class FakeFleet {
  /** By agent id, as registered now. */
  readonly agents = new Map<string, AgentRegistration>()
  readonly executors = new Map<string, FakeExecutor>()
  readonly #delegations = new Map<string, FakeDelegation>()
  /** Mail for agents that are not there. */
  readonly #held = new Map<string, (() => void)[]>()
  #count = 0

  constructor(private readonly deps: FakeFleetDeps) {}

  // ---------------------------------------------------------------- agents

  register(link: FakeLink, registration: AgentRegistration): AgentRegistered {
    const { agentId = 'agent', ...rest } = registration
    link.agentId = agentId
    this.agents.set(agentId, { ...registration, agentId })
    const registeredAt = new Date().toISOString()
    this.deps.emit('agent.registered', { agentId, ...rest, registeredAt }, [`agent:${agentId}`])
    // Behind the answer, as it comes over a wire.
    queueMicrotask(() => {
      for (const send of this.#held.get(agentId) ?? []) send()
      this.#held.delete(agentId)
    })
    return { agentId, status: 'registered', registeredAt, permissions: [], heartbeat: HEARTBEAT }
  }

  left(agentId: string | undefined): void {
    if (agentId !== undefined && ![...this.deps.links()].some((link) => link.agentId === agentId)) this.agents.delete(agentId)
  }

  /** Offers a task to the agent, known or new; an offer of it before is void. */
  delegate(agentId: string, { id = `task-${++this.#count}`, ...order }: Partial<TaskOrder> = {}): FakeDelegation {
    const task = this.deps.state.get('task', id) ?? this.#create({ type: 'task', ...order, id })
    this.#delegations.get(id)?.expire()
    const attempt = task.attempt + 1
    const leaseToken = `lease-${++this.#count}`
    const sendCancel = (reason?: string): void => this.#mail('execution.cancel', { taskId: id, agentId, leaseToken, reason })
    const delegation = new FakeDelegation({ taskId: id, agentId, attempt, leaseToken }, sendCancel)
    this.#delegations.set(id, delegation)
    this.deps.emit('task.delegated', { taskId: id, agentId, attempt, leaseToken }, [`task:${id}`, `agent:${agentId}`])
    const { title, taskType, parameters, deadline, priority, pipelineId, stage, streamId } = task
    this.#mail('task.delegate', { taskId: id, agentId, taskTitle: title, taskType, parameters, deadline, priority, pipelineId, stage, streamId, attempt, leaseToken })
    return delegation
  }

  /** May it be said? Only of what was delegated: other tasks are observed. @throws HubError STALE_LEASE */
  judge({ type, data }: PublishRequest): void {
    const { taskId, leaseToken } = (data ?? {}) as { taskId?: unknown; leaseToken?: unknown }
    const delegation = typeof taskId === 'string' ? this.#delegations.get(taskId) : undefined
    if (!delegation || !REPORTS.has(type)) return
    if (delegation.isOver || (leaseToken !== undefined && leaseToken !== delegation.leaseToken)) throw new HubError('STALE_LEASE', undefined, { taskId })
  }

  /** What follows from a report, as a hub derives it. */
  heard({ type, data }: PublishRequest): void {
    const { taskId, reason } = (data ?? {}) as { taskId?: unknown; reason?: unknown }
    const delegation = typeof taskId === 'string' ? this.#delegations.get(taskId) : undefined
    if (!delegation || !REPORTS.has(type)) return
    const { agentId, attempt } = delegation
    delegation.heard({ type, data })
    if (type === 'task.result') this.deps.emit('task.completed', { taskId, agentId }, [`task:${String(taskId)}`])
    if (type === 'task.rejected') this.deps.emit('task.lease_lost', { taskId, agentId, attempt, reason: reason ?? 'rejected' }, [`task:${String(taskId)}`, `agent:${agentId}`])
  }

  // ---------------------------------------------------------------- commands

  async command({ command, payload, timeoutMs = 30_000 }: CommandRequest): Promise<CommandResult> {
    const name = canonicalCommand(command)
    const commandId = `fake-${++this.#count}`
    if (name === 'task.start') {
      const order = payload as TaskOrder
      const id = order.id ?? `task-${this.#count}`
      return { commandId, result: this.deps.state.get('task', id) ?? this.#create({ ...order, id }) }
    }
    if (name === 'execution.cancel') return { commandId, result: await this.#cancel(payload as { taskId: string; reason?: string }) }
    const executor = this.executors.get(name)
    if (executor) return { commandId, result: await settle(async () => await executor(payload)) }
    const link = [...this.deps.links()].find(({ handled }) => handled.includes(name))
    if (!link) throw new HubError('NO_EXECUTOR', undefined, { command: name })
    const answer = await link.ask({ commandId, command: name, payload: payload ?? null, by: '/services/fake', timeoutMs }).catch((error: unknown) => {
      throw new HubError('EXECUTOR_LOST', undefined, { command: name }, { cause: error })
    })
    return { commandId, result: resultOf(answer) }
  }

  broadcast({ name, data = null, to = {} }: BroadcastRequest): BroadcastResult {
    const { agentTypes, capabilities } = to
    const reached = [...this.deps.links()].filter(({ agentId }) => {
      const agent = agentId === undefined ? undefined : this.agents.get(agentId)
      const { agentType = '', capabilities: own = [] } = agent ?? {}
      return agent && (!agentTypes || agentTypes.includes(agentType)) && (!capabilities || capabilities.some((capability) => own.includes(capability)))
    })
    for (const { agentId, events } of reached) events.message('signal', [{ topic: `agent:${agentId}`, name, data, source: '/services/fake', timestamp: Date.now() }])
    return { reached: reached.length, complete: true }
  }

  #create({ id, type, title, agentId, ...rest }: TaskOrder & { id: string }): TaskView {
    const { pipelineId, streamId } = rest
    const topics = [`task:${id}`, ...(pipelineId === undefined ? [] : [`pipeline:${pipelineId}`]), ...(streamId === undefined ? [] : [`stream:${streamId}`])]
    this.deps.emit('task.created', { taskId: id, taskType: type, taskTitle: title, assignedAgent: agentId, ...rest, managed: true }, topics)
    return this.deps.state.get('task', id)!
  }

  async #cancel({ taskId, reason }: { taskId: string; reason?: string }): Promise<TaskView> {
    const task = this.deps.state.get('task', taskId)
    if (!task) throw new HubError('TASK_NOT_FOUND', undefined, { taskId })
    if (isFinished(task)) return task
    const delegation = this.#delegations.get(taskId)
    this.deps.emit('task.cancel_requested', { taskId, reason }, [`task:${taskId}`])
    if (delegation && !delegation.isOver) {
      delegation.cancel(reason)
      await delegation.outcome()
    } else this.deps.emit('task.cancelled', { taskId, reason }, [`task:${taskId}`])
    return this.deps.state.get('task', taskId)!
  }

  #mail(type: string, data: { agentId: string; [field: string]: unknown }): void {
    const { agentId } = data
    const send = (): void => void this.deps.emit(type, data, [`inbox:${agentId}`])
    if (this.agents.has(agentId)) return send()
    this.#held.set(agentId, [...(this.#held.get(agentId) ?? []), send])
  }
}

const REPORTS: ReadonlySet<string> = new Set(['task.accepted', 'task.rejected', 'task.started', 'task.progress', 'task.result', 'task.failed', 'task.cancelled'])

/** An executor's answer, or its failure as whoever gave the command is told of it. */
async function settle(carryOut: () => Promise<unknown>): Promise<unknown> {
  try {
    return await carryOut()
  } catch (error) {
    throw new HubError('COMMAND_FAILED', error instanceof Error ? error.message : String(error))
  }
}

function resultOf(answer: CommandAnswer): unknown {
  if (!answer.ok) throw new HubError('COMMAND_FAILED', answer.error.message, { ...answer.error })
  return answer.result ?? null
}
