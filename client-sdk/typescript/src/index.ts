export { connect } from './connect.js'
export { drainOnSignals } from './drain.js'
export type { Agent, AgentOptions, AgentState, DrainOptions } from './agent.js'
export type { AgentTask, LogLevel, TaskContext, TaskHandler } from './assignment.js'
export type { Client, EventHandler, Place, PublishOptions, SubscribeOptions, Subscription } from './client.js'
export type { CommandContext, CommandHandler, CommandOptions } from './commands.js'
export type { Transport } from './link.js'
export type { DeadLetters, Operator, TraceOptions } from './operator.js'
export type { ConnectOptions } from './options.js'
export type { Snapshot } from './snapshot.js'
export type { Backoff, ClientState } from './state.js'
export type { CancelOptions, TaskFilter, Tasks, WaitOptions } from './tasks.js'
export type { LiveState, StateChange } from './watch.js'
export { applyPatch, FAILURES, HubError, PatchFailed } from '@hubbub/protocol'
export type {
  AgentRegistered, AgentStatus, BroadcastRequest, BroadcastResult, Cursor, DeadLetter, Entities, EntityView, EventMap, Failure, FailureCode, Filter, Gap, HubEvent, Kind,
  Overview, PatchOperation, PresenceChange, PresenceResult, PublishResult, Signal, Since, TaskOrder, TaskStatus, TaskView, Trace,
} from '@hubbub/protocol'
