/**
 * Executors: connections that registered for commands. This worker's own are known here; those of all workers stand in the roster, in a
 * group a command. An executor is asked once, and its answer, or what became of it, is the outcome.
 */
import { HubError, partitionOf, type CommandCall, type HandleResult } from '@hubbub/protocol'
import { checkCommandAnswer, checkHandle } from '@hubbub/protocol/catalogue'
import { may, needed } from '../access/permissions.js'
import type { Settings } from '../settings/table.js'
import { hubErrorOf } from '../store/failure.js'
import type { Roster, RosterEntry } from '../store/port.js'
import type { Caller } from './caller.js'
import { Enrolment, type EnrolmentDeps } from './enrolment.js'

/** Carried out by the hub itself. */
export const HUB_COMMANDS: readonly string[] = ['task.start', 'execution.cancel']

export interface Errand {
  /** Connection id. */
  member: string
  project: string
  call: CommandCall
}

/** Plain data: it travels between workers. */
export type Outcome =
  /** It was not asked: it is no executor of the command any more. */
  | { status: 'absent' }
  | { status: 'done'; result: unknown }
  | { status: 'refused'; code?: string; message: string }
  /** Its connection ended before it answered. */
  | { status: 'lost' }
  | { status: 'silent' }

export interface ExecutorDeps extends EnrolmentDeps {
  roster: Roster
  settings: Pick<Settings, 'maxEventBytes' | 'maxDepth'>
}

interface Executor {
  caller: Caller
  project: string
  commands: ReadonlySet<string>
  /** By command id: what ends it. */
  running: Map<string, () => void>
}

const NOTHING: ReadonlySet<string> = new Set()

export class Executors {
  private readonly local = new Map<string, Executor>()
  private readonly enrolment: Enrolment

  constructor(private readonly deps: ExecutorDeps) {
    this.enrolment = new Enrolment(deps)
  }

  /** Replaces what the connection handled before; resolves when every worker can find it. Rejects with `HubError`. */
  async handle(caller: Caller, input: unknown): Promise<HandleResult> {
    const { commands } = checkHandle(input)
    const identity = caller.identity()
    for (const command of commands) {
      if (HUB_COMMANDS.includes(command)) throw new HubError('INVALID_MESSAGE', `${command} is carried out by the hub.`, { command })
      if (!may(identity, 'handle', command)) throw new HubError('INSUFFICIENT_PERMISSIONS', `Not permitted to handle ${command}.`, { command, needed: needed('handle', command) })
    }
    let executor = this.local.get(caller.id)
    if (!executor) this.local.set(caller.id, (executor = { caller, project: identity.project, commands: NOTHING, running: new Map() }))
    await this.change(executor, new Set(commands))
    return { commands }
  }

  /** The connection ended: what it was asked is lost. */
  gone(id: string): void {
    const executor = this.local.get(id)
    if (!executor) return
    this.local.delete(id)
    for (const lose of executor.running.values()) lose()
    // Where the store is away, the enrolment writes it later.
    this.change(executor, NOTHING).catch(() => undefined)
  }

  /** Connections on all of the living workers that handle the command. */
  async find(project: string, command: string, alive: readonly string[]): Promise<RosterEntry[]> {
    const { roster, partitions } = this.deps
    const read = () => roster.list(partitionOf(project, partitions), groupOf(project, command), alive)
    // Once more: a dropped connection fails what is in flight, and nobody was asked yet.
    return await read().catch(read)
  }

  /** Commands that a connection of this worker has under way. */
  load(member: string): number {
    return this.local.get(member)?.running.size ?? 0
  }

  /** Asks a connection of this worker, if it is still an executor of the command. Never rejects. */
  async carryOut({ member, project, call }: Errand): Promise<Outcome> {
    const executor = this.local.get(member)
    const fit = executor?.project === project && executor.commands.has(call.command) && may(executor.caller.identity(), 'handle', call.command)
    if (!fit) return { status: 'absent' }
    const lost = new Promise<Outcome>((resolve) => executor.running.set(call.commandId, () => resolve({ status: 'lost' })))
    try {
      return await Promise.race([lost, this.answerOf(executor, call)])
    } finally {
      executor.running.delete(call.commandId)
    }
  }

  close(): void {
    this.enrolment.close()
  }

  private async answerOf({ caller }: Executor, call: CommandCall): Promise<Outcome> {
    let answer: unknown
    try {
      answer = await caller.ask(call)
    } catch {
      return { status: 'silent' }
    }
    try {
      const checked = checkCommandAnswer(answer, this.deps.settings)
      return checked.ok ? { status: 'done', result: checked.result } : { status: 'refused', ...checked.error }
    } catch (error) {
      const { code, message } = hubErrorOf(error)
      return { status: 'refused', code, message: `The executor's answer cannot be taken: ${message}` }
    }
  }

  private async change(executor: Executor, commands: ReadonlySet<string>): Promise<void> {
    const { caller, project, commands: before } = executor
    // Before it is recorded: whoever finds it in the roster must not be told that it is absent.
    executor.commands = commands
    const info = JSON.stringify({ subject: caller.identity().subject })
    const joining = [...commands].map((command) => this.enrolment.join(project, groupOf(project, command), caller.id, info))
    const leaving = [...before].filter((command) => !commands.has(command)).map((command) => this.enrolment.leave(project, groupOf(project, command), caller.id))
    await Promise.all([...joining, ...leaving])
  }
}

function groupOf(project: string, command: string): string {
  return `handle ${project}/${command}`
}
