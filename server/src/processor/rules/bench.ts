/**
 * Who could work, and which tasks wait for somebody: drawn from the entities, kept in memory only. Tasks that ask for the same wait
 * in one line, the most urgent first; so finding the next pair costs by lines and agents, not by tasks.
 */
import type { Agent, Task } from '@hubbub/protocol'

/** What tasks of one line have in common. */
interface Line {
  readonly requires: readonly string[]
  readonly agentType?: string
  readonly assignedAgent?: string
  /** Most urgent first. */
  readonly tasks: Task[]
}

export interface Match {
  task: Task
  agentId: string
  /** Undefined: the task is meant for an agent that the hub does not know. */
  agent: Agent | undefined
}

const NAMED_PRIORITIES: Readonly<Record<string, number>> = { low: -10, normal: 0, medium: 0, high: 10, urgent: 20, critical: 20 }

export class Bench {
  private readonly agents = new Map<string, Agent>()
  private readonly lines = new Map<string, Line>()
  /** Lines for which there was nobody when they were looked at last: not looked at again before an agent has changed, or has more room. */
  private readonly stuck = new Set<string>()
  /** Waiting, but not before their `retryAt`. */
  private readonly resting = new Map<string, Task>()
  private readonly held = new Map<string, Set<string>>()
  /** Turn of each agent's last delegation: of equals the one that waited longest. */
  private readonly turns = new Map<string, number>()
  private turn = 0

  /** Follows every change of an agent. */
  seat(before: Agent | undefined, after: Agent | undefined): void {
    if (after) this.agents.set(after.id, after)
    else if (before) this.agents.delete(before.id)
    if (!before || !after || !isAlike(before, after)) this.stuck.clear()
  }

  /** Follows every change of a task. */
  place(before: Task | undefined, after: Task | undefined): void {
    if (before) this.remove(before)
    if (!after?.managed) return
    if (isHeld(after)) {
      const tasks = this.held.get(after.agentId!)
      if (tasks) tasks.add(after.id)
      else this.held.set(after.agentId!, new Set([after.id]))
    } else if (after.status === 'pending') {
      if (after.retryAt === undefined) this.queue(after)
      else this.resting.set(after.id, after)
    }
  }

  /** Managed tasks whose lease the agent holds, offered ones included. */
  heldBy(agentId: string): readonly string[] {
    return [...(this.held.get(agentId) ?? [])]
  }

  /** Whether anything has to be looked at: there is nobody to match while nothing waits. */
  get idle(): boolean {
    return this.lines.size === 0 && this.resting.size === 0
  }

  /** The most urgent task for which there is an agent; undefined when there is none. The caller delegates it before it asks again. */
  match(now: number): Match | undefined {
    for (const [id, task] of this.resting) {
      if (Date.parse(task.retryAt!) > now) continue
      this.resting.delete(id)
      this.queue(task)
    }
    let best: Match | undefined
    for (const [key, line] of this.lines) {
      if (this.stuck.has(key)) continue
      const task = line.tasks[0]!
      if (best && compareUrgency(best.task, task) <= 0) continue
      const found = line.assignedAgent === undefined ? this.choose(line, task) : this.named(line.assignedAgent)
      if (found) best = { task, ...found }
      else this.stuck.add(key)
    }
    if (best) this.turns.set(best.agentId, ++this.turn)
    return best
  }

  /** Room on an agent that is there; mail for one that is not. */
  private named(agentId: string): Omit<Match, 'task'> | undefined {
    const agent = this.agents.get(agentId)
    return !agent || !isThere(agent) || this.hasRoom(agent) ? { agentId, agent } : undefined
  }

  /** The least busy that can do it; one that failed at it only if there is no other. */
  private choose(line: Line, task: Task): Omit<Match, 'task'> | undefined {
    let best: Agent | undefined
    let bestScore: readonly number[] = []
    for (const agent of this.agents.values()) {
      if (!isAvailable(agent) || !this.hasRoom(agent) || !isAble(agent, line)) continue
      const tried = task.tries.some((attempt) => attempt.agentId === agent.id)
      const score = [tried ? 1 : 0, this.load(agent), this.turns.get(agent.id) ?? 0]
      if (!best || compareScores(score, bestScore) < 0) {
        best = agent
        bestScore = score
      }
    }
    return best && { agentId: best.id, agent: best }
  }

  private hasRoom(agent: Agent): boolean {
    return (this.held.get(agent.id)?.size ?? 0) < agent.maxTasks
  }

  private load(agent: Agent): number {
    return (this.held.get(agent.id)?.size ?? 0) / agent.maxTasks
  }

  private queue(task: Task): void {
    const key = lineKey(task)
    let line = this.lines.get(key)
    if (!line) {
      const { requires = [], agentType, assignedAgent } = task
      this.lines.set(key, (line = { requires, tasks: [], ...(agentType === undefined ? {} : { agentType }), ...(assignedAgent === undefined ? {} : { assignedAgent }) }))
    }
    line.tasks.splice(placeIn(line.tasks, task), 0, task)
  }

  private remove(task: Task): void {
    if (!task.managed) return
    if (isHeld(task)) {
      const tasks = this.held.get(task.agentId!)
      tasks?.delete(task.id)
      this.stuck.clear()
      if (tasks?.size === 0) this.held.delete(task.agentId!)
      return
    }
    this.resting.delete(task.id)
    const key = lineKey(task)
    const line = this.lines.get(key)
    const at = line ? placeIn(line.tasks, task) : -1
    if (line?.tasks[at]?.id !== task.id) return
    line.tasks.splice(at, 1)
    if (line.tasks.length > 0) return
    this.lines.delete(key)
    this.stuck.delete(key)
  }
}

/** Of a beat nothing follows for those who wait. */
function isAlike(a: Agent, b: Agent): boolean {
  return (
    a.status === b.status && a.owner === b.owner && a.agentType === b.agentType && a.maxTasks === b.maxTasks &&
    (a.capabilities === b.capabilities || a.capabilities.join('\n') === b.capabilities.join('\n')) && isThere(a) === isThere(b)
  )
}

/** An agent holds it, or was offered it. */
export function isHeld(task: Task): boolean {
  return task.agentId !== undefined && task.leaseToken !== undefined && ['delegated', 'accepted', 'in_progress', 'paused', 'blocked'].includes(task.status)
}

/** Its mail is read now. Agents without connections of their own (over HTTP, say) count as long as they beat. */
export function isThere(agent: Agent): boolean {
  return agent.connections === undefined ? agent.status !== 'offline' : agent.connections.length > 0
}

function isAvailable(agent: Agent): boolean {
  return agent.owner !== undefined && isThere(agent) && (agent.status === 'registered' || agent.status === 'idle' || agent.status === 'busy')
}

function isAble(agent: Agent, line: Line): boolean {
  return (line.agentType === undefined || line.agentType === agent.agentType) && line.requires.every((capability) => agent.capabilities.includes(capability))
}

function lineKey({ requires = [], agentType, assignedAgent }: Task): string {
  return JSON.stringify([assignedAgent, agentType, [...requires].sort()])
}

export function priorityOf({ priority }: Task): number {
  if (typeof priority === 'number') return priority
  return priority === undefined ? 0 : (NAMED_PRIORITIES[priority.toLowerCase()] ?? (Number(priority) || 0))
}

/** Priority, then deadline, then age; never equal for two tasks. */
function compareUrgency(a: Task, b: Task): number {
  return priorityOf(b) - priorityOf(a) || deadlineOf(a) - deadlineOf(b) || compareTexts(a.createdAt, b.createdAt) || compareTexts(a.id, b.id)
}

function deadlineOf({ deadline }: Task): number {
  // What is no time (changes of a task may say anything) would leave the line without an order, and tasks in it for ever.
  return (deadline === undefined ? Number.NaN : Date.parse(deadline)) || Number.MAX_SAFE_INTEGER
}

function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function compareScores(a: readonly number[], b: readonly number[]): number {
  for (let place = 0; place < a.length; place++) if (a[place] !== b[place]) return a[place]! - b[place]!
  return 0
}

/** Where the task stands, or would: by halving. */
function placeIn(tasks: readonly Task[], task: Task): number {
  let low = 0
  let high = tasks.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (compareUrgency(tasks[middle]!, task) < 0) low = middle + 1
    else high = middle
  }
  return low
}
