import type { Client, SubscribeOptions } from '@hubbub/client'
import { HubError, isTopicPattern, isTypePattern, parseSince, type HubEvent, type Since } from '@hubbub/protocol'
import { readRemote, REMOTE, UsageError, type Call, type Command } from './arguments.js'
import { eventLine, gapLine } from './event-line.js'
import { drained, failureLine, JSON_FLAG, note, print, printJson, wantsJson } from './print.js'
import { openClient } from './remote.js'
import { followTask } from './follow-task.js'
import { inkOf } from './terminal/paint.js'

/** Events that may wait for the terminal while a history comes in. */
const BUFFER = 100_000
const MOST = 1_000_000

export const tail: Command = {
  usage: 'tail TOPIC... [--since 10m|CURSOR|all] [-n N] [--no-follow] [--types a,b] [--follow-task ID] [--json]',
  about: 'Shows events of topics (`task:42`, `task:*`, `*`) as they come, and before that what --since or -n asks for. Comes back by itself after a lost connection.',
  flags: {
    since: { value: 'WHEN', env: 'HUBBUB_SINCE', about: 'A duration (10m), a cursor, or `all`.' },
    last: { short: 'n', value: 'N', env: 'HUBBUB_LAST', about: 'The last N events, instead of --since.' },
    'no-follow': { env: 'HUBBUB_NO_FOLLOW', about: 'Stops after what is there already; alone it means the last 10.' },
    types: { value: 'TYPES', env: 'HUBBUB_TYPES', isList: true, about: 'Only these types (`task.progress,agent.*`).' },
    'follow-task': { value: 'ID', env: 'HUBBUB_FOLLOW_TASK', about: 'All of one task, its progress below, until it is finished. Exit code 0: completed; 1: failed or cancelled.' },
    json: JSON_FLAG,
    ...REMOTE,
  },
  async run(call) {
    const task = call.text('follow-task')
    if (task !== undefined) return await followTask(call, task)
    const topics = call.words.length > 0 ? [...call.words] : ['*']
    const wrong = topics.find((topic): boolean => !isTopicPattern(topic))
    if (wrong !== undefined) throw new UsageError(`TOPIC: '${wrong}' is not allowed; allowed: family:id, family:*, *, system, project`)
    const types = call.list('types')
    const wrongType = types?.find((type): boolean => !isTypePattern(type))
    if (wrongType !== undefined) throw new UsageError(`--types: '${wrongType}' is not allowed; allowed: types and patterns such as task.progress, task.*`)
    const since = readStart(call)
    const show = printer(call)
    const client = await openClient(readRemote(call), { bufferLimit: BUFFER })
    const stop = (): void => client.close()
    process.once('SIGINT', stop)
    process.once('SIGTERM', stop)
    try {
      watch(client)
      await follow(client, { topics, ...(types && { types }), ...(since !== undefined && { since }) }, show, call.on('no-follow'))
      return 0
    } catch (error) {
      if (isStopped(error, client)) return 0
      throw error
    } finally {
      client.close()
    }
  },
}

/** Throws UsageError. */
export function readStart(call: Call): Since | undefined {
  const since = call.text('since')
  const last = call.integer('last', 0, MOST)
  if (since !== undefined && last !== undefined) throw new UsageError('--since and -n exclude each other')
  if (last !== undefined && last > 0) return { last }
  if (since === undefined) return call.on('no-follow') && last === undefined ? { last: 10 } : undefined
  try {
    parseSince(since)
    return since
  } catch {
    throw new UsageError(`--since: '${since}' is not allowed; allowed: a duration such as 10m, a cursor, all`)
  }
}

/** Until the client is closed. A reader that fell too far behind goes on from the journal, at its own pace. */
async function follow(client: Client, options: SubscribeOptions, show: Show, isBounded: boolean): Promise<void> {
  let { since } = options
  while (client.state !== 'closed') {
    const subscription = await client.subscribe({ ...options, ...(since !== undefined && { since }) })
    if (isBounded) void subscription.live().then(() => client.close(), () => undefined)
    try {
      for await (const event of subscription) {
        since = subscription.cursor
        if (!show(event, since ?? '')) await drained()
      }
    } catch (error) {
      if (!(error instanceof HubError) || error.code !== 'QUEUE_FULL') throw error
    }
  }
}

/** False: the output is full. */
type Show = (event: HubEvent, cursor: string) => boolean

function printer(call: Call): Show {
  if (wantsJson(call)) return (event, cursor) => printJson({ ...event, cursor })
  const ink = inkOf(call.env)
  return (event) => print(eventLine(event, { ...ink, columns: process.stdout.columns || 120 }))
}

/** Says once that the connection is lost and once that it is back; gaps always. All on stderr: the output is events only. */
function watch(client: Client): void {
  let isAway = false
  client.onGap((gap) => note(gapLine(gap)))
  client.onError((error) => {
    if (error.retryable && !isAway) note(`-- ${failureLine(error)} --`)
  })
  client.onState((state) => {
    if (state === 'offline' && !isAway) {
      isAway = true
      note('-- connection lost; trying again --')
    } else if (state === 'live' && isAway) {
      isAway = false
      note('-- connected again --')
    }
  })
}

/** Ctrl-C while the first answer is under way. */
function isStopped(error: unknown, client: Client): boolean {
  return client.state === 'closed' && error instanceof HubError && error.code === 'UNAVAILABLE'
}
