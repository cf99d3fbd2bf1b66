/** The hub's surroundings: gates and signals of a project, notices of the system, connections, commands. */
import { Type } from 'typebox'
import { fact, hubFact } from './fact.js'
import { Anything, Bag, Id, maybe, Quantity, Text, Time } from './scalars.js'

const IN_PROJECT = ['project', 'task:{taskId}'] as const
const OF_CONNECTION = ['connection:{connectionId}', 'agent:{agentId}'] as const

export const SYSTEM_FACTS = {
  'gate.running': fact('A quality gate runs.', IN_PROJECT, Type.Object({ gate: Text, taskId: maybe(Id), projectId: maybe(Text) })),
  'signal.detected': fact('A watcher recognised a signal.', IN_PROJECT, Type.Object({ signal: Text, taskId: maybe(Id), projectId: maybe(Text) })),
  'system.notification': fact('A notice for people.', ['system'], Type.Object({
    level: Type.Enum(['info', 'warning', 'error']), message: Text, title: maybe(Text), component: maybe(Text),
  })),
  'system.alert': fact('Something needs attention now, or no longer does (`status`).', ['system'], Type.Object({
    severity: Text, message: Text, component: maybe(Text), alert: maybe(Text), status: maybe(Type.Enum(['firing', 'resolved'])),
    value: maybe(Quantity), limit: maybe(Quantity), unit: maybe(Text), since: maybe(Time),
  })),
  // GitHub's webhook event of the same name is `github.deployment_updated`.
  'system.deployment_status': fact('State of an environment.', ['system', 'repo:{repository}'], Type.Object({
    environment: Text, status: Text, components: maybe(Bag), repository: maybe(Text),
  })),
  'command.started': hubFact('A command was given to the hub.', ['system'], Type.Object({ command: Text, by: Text, commandId: maybe(Id) })),
  'command.completed': hubFact('A command was carried out.', ['system'], Type.Object({ command: Text, by: maybe(Text), commandId: maybe(Id), durationMs: maybe(Quantity) })),
  'command.failed': hubFact('A command failed.', ['system'], Type.Object({
    command: Text, by: maybe(Text), commandId: maybe(Id), code: maybe(Text), message: maybe(Text), durationMs: maybe(Quantity),
  })),
  'run.forgotten': hubFact('A run left the state.', ['run:{runId}'], Type.Object({ runId: Id, reason: maybe(Text) })),
  'connection.opened': hubFact('A connection stands.', OF_CONNECTION, Type.Object({
    connectionId: Id, agentId: maybe(Id), agentType: maybe(Text), connectedAt: maybe(Time), protocolVersion: maybe(Text),
    heartbeatInterval: maybe(Type.Integer({ title: 'integer ms', minimum: 0 })), serverTime: maybe(Type.Integer({ title: 'integer ms', minimum: 0 })),
  })),
  'connection.closed': hubFact('A connection ended.', OF_CONNECTION, Type.Object({
    connectionId: Id, agentId: maybe(Id), reason: maybe(Text), disconnectedAt: maybe(Time),
  })),
}

/** `custom.<name>`: whatever a project agrees with itself. Its topics are those that the producer gives. */
export const CUSTOM = fact('A project\'s own event; `data` is any JSON.', ['project'], Anything)
