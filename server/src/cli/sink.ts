import { isTopicPattern, isTypePattern } from '@hubbub/protocol'
import type { SinkView } from '../operations/sinks.js'
import { SINK_FORMATS } from '../operations/sinks-request.js'
import { readRemote, REMOTE, UsageError, type Call, type Command } from './arguments.js'
import { clock, JSON_FLAG, note, plain, print, printJson, table, wantsJson } from './print.js'
import { callHub } from './remote.js'

const DONE = { pause: 'paused', resume: 'resumed', remove: 'removed' } as const

export const sink: Command = {
  usage: 'sink add URL --topics T [--types a,b] [--format F] | sink list | sink show|pause|resume|remove ID',
  about: 'Outgoing webhooks: each event of the topics is POSTed to a URL, signed, in order, until it is taken. Needs a service\'s or an admin\'s token.',
  flags: {
    topics: { value: 'T', env: 'HUBBUB_TOPICS', isList: true, about: 'add: topics or patterns, comma-separated (`task:*,agent:a1`).' },
    types: { value: 'TYPES', env: 'HUBBUB_TYPES', isList: true, about: 'add: only these types (`task.completed,agent.*`).' },
    format: { value: 'F', env: 'HUBBUB_SINK_FORMAT', default: 'hubbub', about: `add: one of ${SINK_FORMATS.join(', ')}.` },
    template: { value: 'TEXT', env: 'HUBBUB_SINK_TEMPLATE', about: 'add: for slack and discord, `{{data.title}} is {{type}}`.' },
    since: { value: 'WHEN', env: 'HUBBUB_SINCE', about: 'add: a duration (10m), a cursor, or `all`; default from now on.' },
    id: { value: 'ID', env: 'HUBBUB_SINK_ID', about: 'add: its name; default one of the hub\'s.' },
    secret: { value: 'whsec_...', env: 'HUBBUB_SINK_SECRET', about: 'add: signs what is sent; default one of the hub\'s.' },
    json: JSON_FLAG,
    ...REMOTE,
  },
  async run(call) {
    const [action, word, ...rest] = call.words
    if (rest.length > 0 || (word !== undefined && action === 'list')) throw new UsageError(`'${rest[0] ?? word}' is one word too many`)
    if (action === 'add') return await add(call, word)
    if (action === 'list') return await list(call)
    if (action === 'show') return await show(call, word)
    if (action === 'pause' || action === 'resume' || action === 'remove') return await steer(call, action, word)
    throw new UsageError(`sink: '${action ?? ''}' is not allowed; allowed: add, list, show, pause, resume, remove`)
  },
}

async function add(call: Call, url: string | undefined): Promise<number> {
  if (url === undefined) throw new UsageError('sink add: URL is missing')
  const topics = call.list('topics')
  if (!topics) throw new UsageError('--topics is missing (or HUBBUB_TOPICS)')
  const wrong = topics.find((topic): boolean => !isTopicPattern(topic))
  if (wrong !== undefined) throw new UsageError(`--topics: '${wrong}' is not allowed; allowed: family:id, family:*, *, system, project`)
  const types = call.list('types')
  const wrongType = types?.find((type): boolean => !isTypePattern(type))
  if (wrongType !== undefined) throw new UsageError(`--types: '${wrongType}' is not allowed; allowed: types and patterns such as task.progress, task.*`)
  const fields = ['format', 'template', 'since', 'id', 'secret'].flatMap((name) => {
    const value = call.text(name)
    return value === undefined || value === '' ? [] : [[name, value]]
  })
  const answer = await callHub(readRemote(call), 'POST', '/api/v1/sinks', { url, topics, ...(types && { types }), ...Object.fromEntries(fields) as object })
  if (wantsJson(call)) printJson(answer)
  else {
    print(`${String(answer['id'])}  ${String(answer['secret'])}`)
    note('The secret is shown once: with it the receiver verifies what is sent.')
  }
  return 0
}

async function list(call: Call): Promise<number> {
  const sinks = (await callHub(readRemote(call), 'GET', '/api/v1/sinks'))['sinks'] as SinkView[]
  if (wantsJson(call)) for (const one of sinks) printJson(one)
  else {
    const rows = sinks.map((one) => [
      one.id, one.status, one.format, plain(one.url), plain(one.topics.join(',')), String(one.deliveries), one.deliveredAt === undefined ? '-' : clock(one.deliveredAt),
      plain(one.reason ?? one.lastError?.message ?? ''),
    ])
    for (const line of table([['ID', 'STATUS', 'FORMAT', 'URL', 'TOPICS', 'DELIVERED', 'LAST (UTC)', ''], ...rows])) print(line)
  }
  return 0
}

async function show(call: Call, id: string | undefined): Promise<number> {
  const { ok: _ok, ...one } = await callHub(readRemote(call), 'GET', `/api/v1/sinks/${encoded('show', id)}`)
  print(JSON.stringify(one, null, wantsJson(call) ? undefined : 2))
  return 0
}

async function steer(call: Call, action: keyof typeof DONE, id: string | undefined): Promise<number> {
  const path = `/api/v1/sinks/${encoded(action, id)}`
  const remote = readRemote(call)
  const answer = await (action === 'remove' ? callHub(remote, 'DELETE', path) : callHub(remote, 'POST', `${path}/${action}`))
  if (wantsJson(call)) printJson(answer)
  else print(`${DONE[action]}: ${plain(String(id))}`)
  return 0
}

function encoded(action: string, id: string | undefined): string {
  if (id === undefined) throw new UsageError(`sink ${action}: ID is missing; \`hubbub sink list\` shows it`)
  return encodeURIComponent(id)
}
