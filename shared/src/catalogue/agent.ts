/** What agents are and do. `agentId` is the main entity; topic `agent:ID`. */
import { Type } from 'typebox'
import { fact, hubFact } from './fact.js'
import { AgentStatus, Anything, Bag, Count, Id, Ids, maybe, Percent, Quantity, Text, Texts, Time } from './scalars.js'

const CurrentTask = Type.Object({ id: Id, type: maybe(Text), progress: maybe(Percent) }, { title: '{ id, type?, progress? }' })
const Load = Type.Object(
  { cpuUsage: maybe(Quantity), memoryUsage: maybe(Quantity), tasksCompleted: maybe(Count) },
  { title: '{ cpuUsage? %, memoryUsage? bytes, tasksCompleted? }' },
)

export const AGENT_FACTS = {
  'agent.registered': fact('An agent made itself known to the hub.', ['agent:{agentId}'], Type.Object({
    agentId: Id, status: maybe(AgentStatus), agentType: maybe(Text), capabilities: maybe(Texts), maxTasks: maybe(Count), registeredAt: maybe(Time), permissions: maybe(Texts),
  })),
  // The reporting agent's id is filled in from its identity, so it may be left out.
  'agent.heartbeat': fact('An agent lives; what it works on and its load.', ['agent:{agentId}'], Type.Object({
    agentId: maybe(Id), currentTasks: maybe(Ids), systemMetrics: maybe(Bag), receivedAt: maybe(Time),
  })),
  'agent.status_changed': fact('An agent\'s status is another than before.', ['agent:{agentId}', 'task:{taskId}'], Type.Object({
    agentId: Id, status: AgentStatus, agentType: maybe(Text), taskId: maybe(Id), currentTask: maybe(CurrentTask), metrics: maybe(Load), reason: maybe(Text),
  })),
  'agent.forgotten': hubFact('An agent was silent for so long that the hub knows it no more.', ['agent:{agentId}'], Type.Object({ agentId: Id, reason: maybe(Text) })),
  'agent.log': fact('A line of an agent\'s log.', ['agent:{agentId}', 'task:{taskId}'], Type.Object({
    agentId: Id, level: Type.Enum(['debug', 'info', 'warn', 'error']), message: Text, taskId: maybe(Id),
  })),
  'agent.metric': fact('Figures about an agent.', ['agent:{agentId}'], Type.Object({
    agentId: Id, metrics: Type.Record(Type.String(), Type.Number(), { title: 'object of numbers' }),
  })),
  'agent.error': fact('Something went wrong in an agent.', ['agent:{agentId}', 'task:{taskId}'], Type.Object({
    agentId: Id, message: Text, code: maybe(Text), taskId: maybe(Id),
  })),
  'agent.output': fact('What an agent or its tools printed.', ['project', 'agent:{agentId}', 'task:{taskId}'], Type.Object({
    output: Text, agentId: maybe(Id), taskId: maybe(Id), projectId: maybe(Text), stream: maybe(Type.Enum(['stdout', 'stderr'])),
  })),
  'agent.handoff': fact('One agent handed its work to another; both hear it.', ['agent:{fromAgent}', 'agent:{toAgent}', 'task:{taskId}'], Type.Object({
    fromAgent: Id, toAgent: Id, taskId: Id, handoffId: maybe(Id), chainPosition: maybe(Count), chainLength: maybe(Count),
    handoffContext: maybe(Type.String({ title: 'string ≤ 50', maxLength: 50 })), workProductId: maybe(Id), handoffAt: maybe(Time),
  })),
  'agent.started': fact('An agent began an activity.', ['agent:{agentId}', 'stream:{streamId}', 'task:{taskId}'], Type.Object({
    agentId: Id, agentName: maybe(Text), streamId: maybe(Id), streamName: maybe(Text), taskId: maybe(Id), taskTitle: maybe(Text),
    activityDescription: maybe(Text), phase: maybe(Text), startedAt: maybe(Time),
  })),
  'agent.completed': fact('An agent ended an activity.', ['agent:{agentId}', 'task:{taskId}'], Type.Object({
    agentId: Id, taskId: maybe(Id), completedAt: maybe(Time), result: maybe(Anything),
  })),
}
