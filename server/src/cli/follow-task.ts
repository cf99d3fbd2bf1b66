/** `hubbub tail --follow-task ID`: what is said of a task as it comes, with its progress on the last line, until it is finished. */
import type { Client, EntityView, LiveState } from '@hubbub/client'
import { HubError, isFinished, isTopic } from '@hubbub/protocol'
import { readRemote, UsageError, type Call } from './arguments.js'
import { eventLine, gapLine } from './event-line.js'
import { taskLine } from './facts.js'
import { note, plain, print, printJson, wantsJson } from './print.js'
import { openClient } from './remote.js'
import { clip, inkOf } from './terminal/paint.js'

/** Answers the exit code: 0 when it is completed. Rejects with TASK_NOT_FOUND for a task that the hub does not know. */
export async function followTask(call: Call, id: string): Promise<number> {
  if (call.words.length > 0) throw new UsageError(`--follow-task: '${call.words[0]}' is one word too many, the task's topic is the only one`)
  const other = ['last', 'types', 'no-follow'].find((flag) => call.isGiven(flag))
  if (other) throw new UsageError(`--follow-task and --${other} exclude each other`)
  if (!isTopic(`task:${id}`)) throw new UsageError(`--follow-task: '${plain(id)}' is not allowed; allowed: a task's id`)
  const client = await openClient(readRemote(call))
  try {
    return await follow(call, client, id)
  } finally {
    client.close()
  }
}

async function follow(call: Call, client: Client, id: string): Promise<number> {
  const topic = `task:${id}`
  const live = await client.watch(topic)
  const first = live.get('task', id)
  if (!first) throw new HubError('TASK_NOT_FOUND', `There is no task '${id}', or no longer.`)
  const foot = wantsJson(call) ? undefined : new Foot(call)
  const events = await client.subscribe({ topics: [topic], since: call.text('since') ?? 'all' })
  events.onGap((gap) => (foot ? foot.above(gapLine(gap)) : note(gapLine(gap))))
  events.on((event, { cursor }) => {
    if (foot) foot.above(foot.lineOf(event))
    else printJson({ ...event, cursor })
    foot?.show(live.get('task', id) ?? first)
  })
  foot?.show(first)
  const stop = (): void => client.close()
  process.once('SIGINT', stop)
  process.once('SIGTERM', stop)
  try {
    // Its end and its last events come by two subscriptions: what is behind the end is read before the last word.
    const end = await finished(live, id, first)
    await events.live()
    foot?.end(end)
    return end?.status === 'completed' ? 0 : 1
  } finally {
    process.off('SIGINT', stop)
    process.off('SIGTERM', stop)
  }
}

/** Undefined: it was forgotten, or the client closed before its end. */
function finished(live: LiveState, id: string, first: EntityView<'task'>): Promise<EntityView<'task'> | undefined> {
  if (isFinished(first)) return Promise.resolve(first)
  return new Promise((resolve, reject) => {
    live.onEnd((error) => (error ? reject(error) : resolve(undefined)))
    live.onChange(({ kind, id: changed, after }) => {
      if (kind !== 'task' || changed !== id) return
      const task = after as EntityView<'task'> | undefined
      // In the next turn: the other subscription hears of the same event.
      if (!task || isFinished(task)) setImmediate(() => resolve(task))
    })
  })
}

/** A line that stays the last one; what else is said goes above it. */
class Foot {
  private shown = ''
  private readonly ink

  constructor(call: Call) {
    this.ink = inkOf(call.env)
  }

  lineOf(event: Parameters<typeof eventLine>[0]): string {
    return eventLine(event, { ...this.ink, columns: columns() })
  }

  above(line: string): void {
    process.stdout.write(`\r\u001b[K${line}\n${this.shown}`)
  }

  show(task: EntityView<'task'>): void {
    const bare = clip(taskLine(task, { isColoured: false }), columns() - 1)
    this.shown = bare.endsWith('…') ? bare : taskLine(task, this.ink)
    process.stdout.write(`\r\u001b[K${this.shown}`)
  }

  end(task: EntityView<'task'> | undefined): void {
    process.stdout.write('\r\u001b[K')
    print(task ? `${taskLine(task, this.ink)}${task.error ? `  ${plain(task.error)}` : ''}` : 'the task was forgotten, or this was stopped before its end')
  }
}

function columns(): number {
  return process.stdout.columns || 120
}
