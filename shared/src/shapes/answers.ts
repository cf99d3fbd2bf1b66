/** What operations answer, without the `ok` that every gateway puts before it. */
import { Type } from 'typebox'
import { Anything, Count, Flag, maybe, Percent, TaskStatus, Text, Texts } from '../catalogue/scalars.js'
import type { AgentRegistered, BroadcastResult, CommandCall, CommandResult, HandleResult, HistoryResult, PresenceChange, PresenceResult, PublishResult, SnapshotResult, SubscribeResult, UnsubscribeResult, Watcher } from '../messages.js'
import { about, named, shape } from './shape.js'

const ENTITIES = ['Agent', 'Task', 'Pipeline', 'Stream', 'Checkpoint', 'Run', 'TaskType']
const Placed = Type.Array(named('PlacedEvent'))

export const ANSWER_SHAPES = {
  PublishResult: shape<PublishResult>({
    id: Text, type: about(Text, 'Canonical.'), offset: maybe(about(Text, 'Its place in the journal; absent where the commit was not waited for.')), duplicate: maybe(about(Flag, 'It stood there already.')),
    status: maybe(Type.Union([TaskStatus, Type.Literal('acknowledged')])), nextHeartbeat: maybe(Text), taskId: maybe(Text), progress: maybe(Percent), completedAt: maybe(Text),
  }),
  SubscribeResult: shape<SubscribeResult>({
    subscriptionId: maybe(about(Text, 'Absent while `more`.')), topics: Texts, activeSubscriptions: Count, cursor: named('Cursor'), events: maybe(Placed), more: maybe(Flag), gap: maybe(named('Gap')), snapshot: maybe(named('SnapshotResult')),
  }),
  UnsubscribeResult: shape<UnsubscribeResult>({ activeSubscriptions: Count }),
  HistoryResult: shape<HistoryResult>({ events: Placed, cursor: named('Cursor'), more: Flag, gap: maybe(named('Gap')) }),
  SnapshotResult: shape<SnapshotResult>({ cursor: named('Cursor'), entities: Type.Array(Type.Union(ENTITIES.map(named))), next: maybe(about(Text, 'Present while there is more: ask again with it as `after`.')) }),
  AgentRegistered: shape<AgentRegistered>({
    agentId: Text, status: Text, registeredAt: Text, permissions: Texts, heartbeat: shape<AgentRegistered['heartbeat']>({ intervalMs: Count, staleMs: Count, offlineMs: Count }),
  }),
  CommandResult: shape<CommandResult>({ commandId: Text, result: about(Anything, 'What the executor, or the hub, answered.') }),
  CommandCall: shape<CommandCall>({ commandId: Text, command: Text, payload: Anything, by: Text, timeoutMs: Count }),
  HandleResult: shape<HandleResult>({ commands: Texts }),
  BroadcastResult: shape<BroadcastResult>({ reached: about(Count, 'Connections that were given it.'), complete: about(Flag, 'False: a worker did not answer in time, and `reached` is the least.') }),
  PresenceResult: shape<PresenceResult>({ topic: Text, watchers: Type.Array(shape<Watcher>({ subject: Text, role: Text, since: Text })), more: maybe(about(Count, 'So many more are not named.')) }),
  PresenceChange: shape<PresenceChange>({ joined: Texts, left: Texts, more: maybe(Count) }),
}
