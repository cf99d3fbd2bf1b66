/** `hubbub task|agent|pipeline show ID` and `list`: what the hub knows now. */
import type { Client, EntityView } from '@hubbub/client'
import { HubError, isTopic, type HubEvent } from '@hubbub/protocol'
import { readRemote, REMOTE, UsageError, type Call, type Command } from './arguments.js'
import { agentFacts, lastEvents, pipelineFacts, taskFacts } from './facts.js'
import { JSON_FLAG, plain, print, printJson, table, wantsJson } from './print.js'
import { openClient } from './remote.js'
import { ago, percent } from './terminal/figures.js'
import { inkOf, type Ink } from './terminal/paint.js'

type Shown = 'task' | 'agent' | 'pipeline'

interface About<K extends Shown> {
  about: string
  heading: string[]
  row: (entity: EntityView<K>) => string[]
  lines: (client: Client, entity: EntityView<K>, ink: Ink) => Promise<string[]>
}

const KINDS: { [K in Shown]: About<K> } = {
  task: {
    about: 'A task: status, progress, who has it, its delegations, what was said last. `list` shows all.',
    heading: ['TASK', 'STATUS', 'PROGRESS', 'AGENT', 'UPDATED', 'TITLE'],
    row: ({ id, status, progress, agentId, updatedAt, title }) => [id, status, percent(progress), agentId ?? '', ago(updatedAt), title ?? ''],
    lines: (_client, task, ink) => Promise.resolve(taskFacts(task, ink)),
  },
  agent: {
    about: 'An agent: status, what it can, what it works on, its load. `list` shows all.',
    heading: ['AGENT', 'TYPE', 'STATUS', 'TASKS', 'LAST HEARD OF'],
    row: ({ id, agentType, status, currentTasks, lastSeenAt }) => [id, agentType ?? '', status, currentTasks.join(','), ago(lastSeenAt)],
    lines: async (client, agent, ink) => agentFacts(agent, (await Promise.all(agent.currentTasks.map((id) => client.tasks.get(id)))).flatMap((task) => task ?? []), ink),
  },
  pipeline: {
    about: 'A pipeline: status, progress, stages, steps and tasks. `list` shows all.',
    heading: ['PIPELINE', 'STATUS', 'PROGRESS', 'TASKS', 'STEP', 'UPDATED'],
    row: ({ id, status, progress, completedTasks, totalTasks, currentStep, updatedAt }) => [id, status, percent(progress), `${completedTasks}/${totalTasks}`, currentStep ?? '', ago(updatedAt)],
    lines: async (client, pipeline, ink) => pipelineFacts(pipeline, (await client.snapshot(`pipeline:${pipeline.id}`)).list('task'), ink),
  },
}

export const showTask = commandFor('task')
export const showAgent = commandFor('agent')
export const showPipeline = commandFor('pipeline')

function commandFor(kind: Shown): Command {
  return {
    usage: `${kind} show ID | ${kind} list [--status S]`,
    about: KINDS[kind].about,
    flags: {
      status: { value: 'S', env: 'HUBBUB_STATUS', isList: true, about: 'list: only these, comma-separated.' },
      last: { short: 'n', value: 'N', env: 'HUBBUB_LAST', default: '5', about: 'show: so many of its last events.' },
      json: JSON_FLAG,
      ...REMOTE,
    },
    async run(call) {
      const [action, id, ...rest] = call.words
      if (rest.length > 0) throw new UsageError(`'${rest[0]}' is one word too many`)
      if (action === 'list' && id === undefined) return await withClient(call, (client) => list(call, client, kind))
      if (action !== 'show' || id === undefined) throw new UsageError(`${kind}: '${call.words.join(' ')}' is not allowed; allowed: show ID, list`)
      if (!isTopic(`${kind}:${id}`)) throw new UsageError(`ID: '${plain(id)}' is not allowed; allowed: 1 to 128 characters without white space or *`)
      const last = call.integer('last', 0, 1000) ?? 0
      return await withClient(call, (client) => show(call, client, kind, id, last))
    },
  }
}

async function withClient(call: Call, run: (client: Client) => Promise<number>): Promise<number> {
  const client = await openClient(readRemote(call))
  try {
    return await run(client)
  } finally {
    client.close()
  }
}

async function show(call: Call, client: Client, kind: Shown, id: string, last: number): Promise<number> {
  const entity = (await client.snapshot(`${kind}:${id}`)).get(kind, id)
  if (!entity) throw new HubError(kind === 'task' ? 'TASK_NOT_FOUND' : 'NOT_FOUND', `There is no ${kind} '${id}', or no longer.`)
  const events = last > 0 ? await lastOf(client, `${kind}:${id}`, last) : []
  if (wantsJson(call)) printJson({ ...entity, events })
  else {
    const ink = inkOf(call.env)
    for (const line of [...(await aboutOf(kind).lines(client, entity, ink)), ...lastEvents(events, process.stdout.columns || 120, ink)]) print(line)
  }
  return 0
}

async function lastOf(client: Client, topic: string, last: number): Promise<HubEvent[]> {
  const subscription = await client.subscribe({ topics: [topic], since: { last } })
  const events: HubEvent[] = []
  subscription.on((event) => events.push(event))
  await subscription.live()
  return events.slice(-last)
}

async function list(call: Call, client: Client, kind: Shown): Promise<number> {
  const wanted = call.list('status')
  const entities = (await client.snapshot(`${kind}:*`)).list(kind).filter(({ status }) => !wanted || wanted.includes(status))
  if (wantsJson(call)) for (const entity of entities) printJson(entity)
  else {
    const { heading, row } = aboutOf(kind)
    for (const line of table([heading, ...entities.map((entity) => row(entity).map(plain))])) print(line)
  }
  return 0
}

/** A kind's own way with entities of that kind: the compiler cannot tie the two together. */
function aboutOf(kind: Shown): About<Shown> {
  return KINDS[kind] as unknown as About<Shown>
}
