/**
 * A fleet as the load plays it: so many agents, each with one task of one of ten pipelines that it does again and again. The entities stay
 * the same however long it runs, so that whoever watches them has a bounded state, and their last state is known exactly.
 */

export interface FleetEvent {
  type: string
  data: Record<string, unknown>
}

/** How the hub has to describe the fleet after the last event. */
export interface FinalState {
  agents: Record<string, { status: string; metrics: { cpuUsage: number; memoryUsage: number; tasksCompleted: number } }>
  tasks: Record<string, { status: string; progress: number; agentId: string }>
}

interface Member {
  agentId: string
  taskId: string
  pipelineId: string
  stage: number
  type: string
  /** Of its task; 0 to 100. */
  progress: number
  completed: number
  cpu: number
  memory: number
}

const TYPES = ['coder', 'tester', 'reviewer', 'planner', 'docs', 'ops'] as const
const STEPS = ['reading the change', 'writing the test', 'making it pass', 'taking out what stands twice', 'running the suite', 'writing it down']
const PIPELINES = 10
const MIB = 1024 * 1024
/** What each is asked for first; percent. */
const METRICS = { cpu: 4, memory: 300 }

/** Of a hundred events. With the last report of a task come its end and its next beginning. */
const SHARES = { beat: 27, progress: 50, status: 4, log: 12, metric: 4, confidence: 3 } as const
type Said = keyof typeof SHARES
const MIX = (Object.keys(SHARES) as Said[]).flatMap((said) => Array.from({ length: SHARES[said] }, () => said))

export class FleetState {
  private readonly members: Member[]
  private turn = 0
  private state: number

  /** @param prefix of every id, so that two loads on one hub do not meet */
  constructor(agents: number, prefix = 'load', seed = 1) {
    this.state = seed
    this.members = Array.from({ length: agents }, (_, place) => ({
      agentId: `${prefix}-agent-${String(place).padStart(4, '0')}`,
      taskId: `${prefix}-task-${String(place).padStart(4, '0')}`,
      pipelineId: `${prefix}-pipeline-${place % PIPELINES}`,
      stage: 1 + (Math.floor(place / PIPELINES) % 4),
      type: TYPES[place % TYPES.length]!,
      progress: 0,
      completed: 0,
      cpu: METRICS.cpu,
      memory: METRICS.memory,
    }))
  }

  /** Everybody signs on and begins. */
  opening(): FleetEvent[] {
    return this.members.flatMap((member) => {
      const { agentId, taskId, pipelineId, stage, type } = member
      return [
        { type: 'agent.registered', data: { agentId, agentType: type, capabilities: [type], maxTasks: 1 } },
        this.beat(member),
        { type: 'task.created', data: { taskId, taskTitle: `${type}: work of ${agentId}`, taskType: type, pipelineId, stage } },
        ...this.begin(member),
      ]
    })
  }

  /** About so many events: a task that is done brings its end and its next beginning. */
  next(count: number): FleetEvent[] {
    const events: FleetEvent[] = []
    while (events.length < count) {
      const turn = this.turn++
      // Coprime to the number of kinds, so that each member says each of them.
      const member = this.members[turn % this.members.length]!
      const kind = MIX[(turn * 37 + Math.floor(turn / this.members.length)) % MIX.length]!
      events.push(...this.said(member, kind))
    }
    return events
  }

  /** Everybody's task is completed and everybody idle, with figures that are known. */
  closing(): FleetEvent[] {
    return this.members.flatMap((member) => {
      const { taskId, agentId } = member
      return [
        { type: 'task.completed', data: { taskId, agentId } },
        this.beat(member, []),
        { type: 'agent.status_changed', data: { agentId, status: 'idle' } },
      ]
    })
  }

  /** After `closing`. */
  final(): FinalState {
    return {
      agents: Object.fromEntries(this.members.map((member) => [member.agentId, { status: 'idle', metrics: metricsOf(member) }])),
      tasks: Object.fromEntries(this.members.map(({ taskId, agentId }) => [taskId, { status: 'completed', progress: 100, agentId }])),
    }
  }

  private said(member: Member, kind: Said): FleetEvent[] {
    const { agentId, taskId, type } = member
    switch (kind) {
      case 'beat':
        return [this.beat(member)]
      case 'progress':
        return this.report(member)
      case 'status':
        return [{ type: 'agent.status_changed', data: { agentId, status: 'busy', agentType: type, taskId, currentTask: { id: taskId, type, progress: member.progress }, metrics: metricsOf(member) } }]
      case 'log':
        return [{ type: 'agent.log', data: { agentId, taskId, level: this.chance() < 0.9 ? 'info' : 'warn', message: `${this.step(member)}: ${Math.floor(this.chance() * 900)} ms` } }]
      case 'metric':
        return [{ type: 'agent.metric', data: { agentId, metrics: { tokensIn: Math.floor(this.chance() * 4000), tokensOut: Math.floor(this.chance() * 900) } } }]
      case 'confidence':
        return [{ type: 'task.confidence_updated', data: { taskId, confidence: Math.round(50 + member.progress / 2.5) / 100 } }]
    }
  }

  private report(member: Member): FleetEvent[] {
    const { agentId, taskId, pipelineId, stage } = member
    member.progress += 2 + Math.floor(this.chance() * 5)
    if (member.progress < 100) return [{ type: 'task.progress', data: { taskId, agentId, pipelineId, stage, progress: member.progress, message: this.step(member) } }]
    member.completed++
    return [{ type: 'task.completed', data: { taskId, agentId } }, ...this.begin(member)]
  }

  /** An observed task that is begun again is open again. */
  private begin(member: Member): FleetEvent[] {
    const { agentId, taskId } = member
    member.progress = 0
    return [
      { type: 'task.accepted', data: { taskId, agentId } },
      { type: 'task.started', data: { taskId, agentId } },
      { type: 'task.progress', data: { taskId, agentId, progress: 0, message: this.step(member) } },
    ]
  }

  private beat(member: Member, currentTasks = [member.taskId]): FleetEvent {
    member.cpu = Math.round(Math.min(98, Math.max(1, member.cpu + (this.chance() - 0.48) * 12)) * 10) / 10
    member.memory = Math.round(member.memory > 900 ? METRICS.memory : member.memory + this.chance() * 12)
    return { type: 'agent.heartbeat', data: { agentId: member.agentId, currentTasks, systemMetrics: metricsOf(member) } }
  }

  private step({ progress }: Member): string {
    return STEPS[Math.min(STEPS.length - 1, Math.floor((progress * STEPS.length) / 100))]!
  }

  /** 0 to 1, the same with each run. */
  private chance(): number {
    this.state = (Math.imul(this.state, 1_664_525) + 1_013_904_223) >>> 0
    return this.state / 2 ** 32
  }
}

function metricsOf({ cpu, memory, completed }: Member): FinalState['agents'][string]['metrics'] {
  return { cpuUsage: cpu, memoryUsage: memory * MIB, tasksCompleted: completed }
}
