/**
 * Streams of work, as events tell of them.
 *
 *   pending --> running --> completed        a completed one that gets new tasks is started again
 *      ^           ^
 *      +- blocked -+                         blocked: nothing of it can go on; ends when something can
 */
import type { HubEvent } from '../envelope.js'
import { NO_TASKS, unfinishedTasks, type Stream } from './entities.js'
import { dataOf, named, numbers, textList, texts, timeOf, type Data, type Reducer, type Reducers } from './reducer.js'
import { counted } from './tally.js'

const ids = named('streamId')
const MOST_BLOCKED = 100

export const STREAM_REDUCERS: Reducers<Stream> = {
  'stream.started': folded((stream, data, event) => {
    const { finishedAt: _, ...open } = released(stream)
    const { startedAt = stream.startedAt ?? timeOf(event) } = texts(data, 'startedAt')
    return { ...open, status: 'running', startedAt }
  }),
  'stream.progress': folded((stream, data) => {
    const { progressPercentage = stream.progressPercentage } = numbers(data, 'progressPercentage')
    const known: Stream = { ...stream, ...counted(data, stream), progressPercentage, ...blockedTasks(data) }
    return known.status === 'blocked' && goesOn(stream, known) ? released(known) : known
  }),
  'stream.blocked': folded((stream, data) => {
    const { blockedReason: _, ...rest } = stream
    return { ...rest, status: 'blocked', ...texts(data, 'blockedReason'), ...blockedTasks(data) }
  }),
  'stream.completed': folded((stream, _data, event) => {
    const { blockedReason: _, ...rest } = stream
    // Where tasks were counted the figures stand: some may have failed.
    return { ...rest, status: 'completed', progressPercentage: stream.totalTasks > 0 ? stream.progressPercentage : 100, finishedAt: timeOf(event) }
  }),
  'stream.forgotten': { ids, reduce: () => undefined },
}

function folded(fold: (stream: Stream, data: Data, event: HubEvent) => Stream): Reducer<Stream> {
  return {
    ids,
    reduce(before, event, id) {
      const at = timeOf(event)
      const data = dataOf(event)
      const stream: Stream = before ?? { id, createdAt: at, updatedAt: at, status: 'pending', ...NO_TASKS, progressPercentage: 0 }
      const { streamName: name } = texts(data, 'streamName')
      return { ...fold(stream, data, event), ...(name === undefined ? {} : { name }), updatedAt: at }
    },
  }
}

function blockedTasks(data: Data): Pick<Stream, 'blockedTaskIds'> {
  const listed = textList(data['blockedTaskIds'])
  return listed ? { blockedTaskIds: listed.slice(0, MOST_BLOCKED) } : {}
}

/** What its producer blocked for a reason of its own, naming no tasks, goes on when it gets further. */
function goesOn(before: Stream, after: Stream): boolean {
  if (after.inProgressTasks > 0) return true
  const byTasks = (before.blockedTaskIds?.length ?? 0) > 0
  return byTasks ? after.blockedTasks < unfinishedTasks(after) : after.progressPercentage > before.progressPercentage
}

function released(stream: Stream): Stream {
  const { blockedReason: _, ...rest } = stream
  return { ...rest, status: stream.startedAt === undefined ? 'pending' : 'running' }
}
