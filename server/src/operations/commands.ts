/**
 * Commands: asked of the hub itself or of one executor, wherever it is connected, and answered to whoever gave them. Each one that is
 * taken stands in the journal as `command.started`, before anybody is asked, and as `command.completed` or `command.failed`.
 */
import { randomUUID } from 'node:crypto'
import { HubError, isTopic, type CommandCall, type CommandRequest, type CommandResult, type EventInput, type TaskView } from '@hubbub/protocol'
import { checkCommand } from '@hubbub/protocol/catalogue'
import { sourceOf, type Identity } from '../access/identity.js'
import { may, needed } from '../access/permissions.js'
import type { Logger } from '../observe/log.js'
import type { Settings } from '../settings/table.js'
import { hubErrorOf } from '../store/failure.js'
import type { RosterEntry } from '../store/port.js'
import type { Errand, Executors, Outcome } from './executors.js'
import type { Peers } from './peers.js'
import type { Roll } from './roll.js'

/** The commands that the hub carries out. Both reject with `HubError`. */
export interface TaskCommands {
  create(identity: Identity, input: unknown): Promise<TaskView>
  /** Resolves when the task is finished. */
  cancel(identity: Identity, input: unknown, timeoutMs: number): Promise<TaskView>
}

export interface CommandDeps {
  /** Resolves when committed. */
  announce: (identity: Identity, input: EventInput) => Promise<unknown>
  tasks: TaskCommands
  executors: Executors
  peers: Peers
  roll: Pick<Roll, 'alive' | 'hear'>
  settings: Pick<Settings, 'commandMs' | 'maxEventBytes' | 'maxDepth'>
  log: Logger
}

/** Between workers. */
const CARRY_OUT = 'command'

export class Commands {
  /** By connection id: commands that this worker gave and that are under way. */
  private readonly given = new Map<string, number>()

  constructor(private readonly deps: CommandDeps) {
    deps.peers.serve(CARRY_OUT, (errand: Errand) => deps.executors.carryOut(errand))
  }

  /** A command given twice is two commands. Rejects with `HubError`. */
  async give(identity: Identity, input: unknown): Promise<CommandResult> {
    const { settings } = this.deps
    const request = checkCommand(input, settings)
    const { command, payload = null, timeoutMs = settings.commandMs } = request
    if (!may(identity, 'command', command)) {
      throw new HubError('INSUFFICIENT_PERMISSIONS', `Not permitted to give the command ${command}.`, { command, needed: needed('command', command) })
    }
    const call: CommandCall = { commandId: randomUUID(), command, payload, by: sourceOf(identity), timeoutMs }
    const note = this.noteOf(identity, call)
    await note('started').catch((error: unknown) => {
      throw new HubError('UNAVAILABLE', 'The command could not be recorded; nobody was asked.', { commandId: call.commandId }, { cause: error })
    })
    const begun = performance.now()
    const end = (fact: 'completed' | 'failed', more: object = {}) => {
      // Not awaited: what the executor answered is true, whether or not the store can be reached.
      note(fact, { ...more, durationMs: Math.round(performance.now() - begun) }).catch((error: unknown) => {
        this.deps.log.warn({ err: error, commandId: call.commandId, command }, `command.${fact} could not be recorded`)
      })
    }
    try {
      const result = await this.carryOut(identity, request, call)
      end('completed')
      return { commandId: call.commandId, result }
    } catch (error) {
      const { code, message, details } = hubErrorOf(error)
      if (code === 'INTERNAL_ERROR') this.deps.log.error({ err: error, ...details, command }, 'command failed')
      end('failed', { code, message })
      throw new HubError(code, message, { ...details, commandId: call.commandId }, { cause: error })
    }
  }

  private carryOut(identity: Identity, { payload }: CommandRequest, call: CommandCall): Promise<unknown> {
    if (call.command === 'task.start') return this.deps.tasks.create(identity, payload)
    if (call.command === 'execution.cancel') return this.deps.tasks.cancel(identity, payload, call.timeoutMs)
    return this.delegate(identity.project, call)
  }

  /** One executor gets it. The next one is asked only where an executor said that it was not asked. */
  private async delegate(project: string, call: CommandCall): Promise<unknown> {
    const until = performance.now() + call.timeoutMs
    for (const { member, worker } of this.inOrder(await this.candidates(project, call.command))) {
      const timeoutMs = Math.round(until - performance.now())
      if (timeoutMs <= 0) break
      this.given.set(member, (this.given.get(member) ?? 0) + 1)
      const errand: Errand = { member, project, call: { ...call, timeoutMs } }
      const reply = await this.deps.peers.ask([worker], CARRY_OUT, errand, timeoutMs)[0]!
      this.settled(member)
      const outcome: Outcome = reply.status === 'answered' ? (reply.answer as Outcome) : reply
      if (outcome.status !== 'absent') return resultOf(call, outcome)
    }
    throw new HubError('NO_EXECUTOR', undefined, { command: call.command })
  }

  private async candidates(project: string, command: string): Promise<RosterEntry[]> {
    const { executors, roll } = this.deps
    const found = await executors.find(project, command, roll.alive())
    if (found.length > 0) return found
    // The roll is as old as its last beat: a worker that started since is not on it.
    await roll.hear()
    return await executors.find(project, command, roll.alive())
  }

  /** The least busy first, as far as this worker knows; by chance among equals. */
  private inOrder(candidates: readonly RosterEntry[]): RosterEntry[] {
    const busy = (member: string) => Math.max(this.given.get(member) ?? 0, this.deps.executors.load(member))
    return candidates
      .map((entry) => ({ entry, load: busy(entry.member), lot: Math.random() }))
      .sort((a, b) => a.load - b.load || a.lot - b.lot)
      .map(({ entry }) => entry)
  }

  private settled(member: string): void {
    const left = this.given.get(member)! - 1
    if (left > 0) this.given.set(member, left)
    else this.given.delete(member)
  }

  /** Neither payload nor result: who may read the journal need not see them. */
  private noteOf(identity: Identity, { command, by, commandId, payload }: CommandCall): (fact: 'started' | 'completed' | 'failed', more?: object) => Promise<unknown> {
    const taskId: unknown = (payload as { taskId?: unknown } | null)?.taskId
    // Of any form: an object's own `toString` may be anything, too.
    const task = typeof taskId === 'string' ? `task:${taskId}` : ''
    const named = isTopic(task)
    return (fact, more) => this.deps.announce(identity, { type: `command.${fact}`, data: { command, by, commandId, ...more }, ...(named && { topics: [task] }) })
  }
}

function resultOf({ command, timeoutMs }: CommandCall, outcome: Exclude<Outcome, { status: 'absent' }>): unknown {
  switch (outcome.status) {
    case 'done':
      return outcome.result
    case 'refused':
      throw new HubError('COMMAND_FAILED', outcome.message, { command, message: outcome.message, ...(outcome.code !== undefined && { code: outcome.code }) })
    case 'lost':
      throw new HubError('EXECUTOR_LOST', undefined, { command })
    case 'silent':
      throw new HubError('COMMAND_TIMEOUT', undefined, { command, timeoutMs })
  }
}
