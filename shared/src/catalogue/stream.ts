/** Streams of work: lanes of tasks (not Redis streams). `streamId` is the main entity; topic `stream:ID`. */
import { Type } from 'typebox'
import { fact } from './fact.js'
import { Count, Id, Ids, maybe, Percent, Text, Time } from './scalars.js'

const OF_STREAM = ['stream:{streamId}'] as const

const stream = { streamId: Id, streamName: maybe(Text) }

export const STREAM_FACTS = {
  'stream.started': fact('The first task of a stream started.', OF_STREAM, Type.Object({ ...stream, startedAt: maybe(Time) })),
  'stream.progress': fact('How far a stream is.', OF_STREAM, Type.Object({
    ...stream, progressPercentage: Percent, totalTasks: maybe(Count), completedTasks: maybe(Count), inProgressTasks: maybe(Count),
    blockedTasks: maybe(Count), lastUpdated: maybe(Time),
  })),
  'stream.completed': fact('All tasks of a stream are done.', OF_STREAM, Type.Object({
    ...stream, totalTasks: maybe(Count), completedAt: maybe(Time), duration: maybe(Type.Integer({ title: 'integer ms', minimum: 0 })),
  })),
  'stream.blocked': fact('A stream waits for something.', OF_STREAM, Type.Object({
    ...stream, blockedReason: maybe(Text), blockedTaskIds: maybe(Ids),
  })),
}
