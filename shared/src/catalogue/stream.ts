/** Streams of work: lanes of tasks (not Redis streams). `streamId` is the main entity; topic `stream:ID`. */
import { Type } from 'typebox'
import { fact, hubFact, partlyHub } from './fact.js'
import { Bag, Count, Id, Ids, maybe, Percent, Text, Time } from './scalars.js'

const OF_STREAM = ['stream:{streamId}'] as const

const stream = { streamId: Id, streamName: maybe(Text) }

export const STREAM_FACTS = {
  'stream.started': fact('The first task of a stream started.', OF_STREAM, Type.Object({ ...stream, startedAt: maybe(Time) })),
  'stream.progress': partlyHub('How far a stream is.', OF_STREAM, ['taskId', 'change'], Type.Object({
    ...stream, progressPercentage: Percent, totalTasks: maybe(Count), completedTasks: maybe(Count), inProgressTasks: maybe(Count),
    blockedTasks: maybe(Count), failedTasks: maybe(Count), cancelledTasks: maybe(Count), blockedTaskIds: maybe(Ids), lastUpdated: maybe(Time),
    taskId: maybe(Id), change: maybe(Bag),
  })),
  'stream.completed': fact('All tasks of a stream are done.', OF_STREAM, Type.Object({
    ...stream, totalTasks: maybe(Count), completedAt: maybe(Time), duration: maybe(Type.Integer({ title: 'integer ms', minimum: 0 })),
  })),
  'stream.blocked': fact('A stream waits for something.', OF_STREAM, Type.Object({
    ...stream, blockedReason: maybe(Text), blockedTaskIds: maybe(Ids),
  })),
  'stream.forgotten': hubFact('A stream left the state.', OF_STREAM, Type.Object({ streamId: Id, reason: maybe(Text) })),
}
