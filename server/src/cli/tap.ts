import { isTopicPattern, isTypePattern } from '@hubbub/protocol'
import type { TapView } from '../operations/taps.js'
import { readRemote, REMOTE, UsageError, type Call, type Command } from './arguments.js'
import { clock, JSON_FLAG, note, plain, print, printJson, table, wantsJson } from './print.js'
import { callHub } from './remote.js'

const UNITS: Record<string, number> = { s: 1, m: 60, h: 3600 }
const MOST_SECONDS = 3600

export const tap: Command = {
  usage: 'tap [--topic T] [--type T] [--subject S] [--connection ID] [--for 5m] [--sample 0.1] [--values] | tap --list | tap --off ID',
  about: 'Has what concerns a topic, type, subject or connection written to the logs of the hub\'s processes, a line a stage, for minutes. Needs an admin\'s token.',
  flags: {
    topic: { value: 'T', env: 'HUBBUB_TAP_TOPIC', about: 'Events of this topic or pattern (`task:42`, `task:*`).' },
    type: { value: 'T', env: 'HUBBUB_TAP_TYPE', about: 'Events of this type or pattern (`task.progress`, `agui.*`).' },
    subject: { value: 'S', env: 'HUBBUB_TAP_SUBJECT', about: 'Events and messages of this subject (`coder-1`).' },
    connection: { value: 'ID', env: 'HUBBUB_TAP_CONNECTION', about: 'Messages of this connection.' },
    for: { value: 'TIME', env: 'HUBBUB_TAP_FOR', default: '5m', about: 'How long; 90s, 5m, 1h at most.' },
    sample: { value: 'SHARE', env: 'HUBBUB_TAP_SAMPLE', default: '1', about: 'Share of the events, 0 to 1.' },
    values: { env: 'HUBBUB_TAP_VALUES', about: 'With data, its secrets masked; otherwise its shape and sizes only.' },
    list: { env: 'HUBBUB_TAP_LIST', about: 'Shows those that are on.' },
    off: { value: 'ID', env: 'HUBBUB_TAP_OFF', about: 'Switches one off.' },
    json: JSON_FLAG,
    ...REMOTE,
  },
  async run(call) {
    if (call.words.length > 0) throw new UsageError(`'${plain(call.words[0]!)}' is one word too many`)
    const off = call.text('off')
    if (off !== undefined && off !== '') return await switchOff(call, off)
    return call.on('list') ? await list(call) : await switchOn(call)
  },
}

async function switchOn(call: Call): Promise<number> {
  const asked = Object.fromEntries(['topic', 'type', 'subject', 'connection'].flatMap((name) => {
    const text = call.text(name)
    return text === undefined || text === '' ? [] : [[name, text]]
  })) as Partial<Record<'topic' | 'type' | 'subject' | 'connection', string>>
  if (Object.keys(asked).length === 0) throw new UsageError('one of --topic, --type, --subject, --connection is needed')
  if (asked.topic !== undefined && !isTopicPattern(asked.topic)) throw new UsageError(`--topic: '${plain(asked.topic)}' is not allowed; allowed: family:id, family:*, *, system, project`)
  if (asked.type !== undefined && !isTypePattern(asked.type)) throw new UsageError(`--type: '${plain(asked.type)}' is not allowed; allowed: types and patterns such as task.progress, task.*`)
  const body = { ...asked, seconds: secondsOf(call.required('for')), sample: sampleOf(call.required('sample')) }
  const answer = await callHub(readRemote(call), 'POST', `/api/v1/taps${call.on('values') ? '?values=true' : ''}`, body)
  if (wantsJson(call)) printJson(answer)
  else {
    print(`${plain(String(answer['id']))}  on until ${clock(Number(answer['until']))} (UTC)`)
    note(`Its lines stand in the logs of the hub's processes, with "tap":"${plain(String(answer['id']))}"; \`hubbub tap --off ${plain(String(answer['id']))}\` ends it.`)
  }
  return 0
}

async function list(call: Call): Promise<number> {
  const taps = (await callHub(readRemote(call), 'GET', '/api/v1/taps'))['taps'] as TapView[]
  if (wantsJson(call)) for (const one of taps) printJson(one)
  else {
    const rows = taps.map(({ id, project, topic, type, subject, connection, sample, values, until, by }) => [
      id, project, [topic, type, subject && `subject ${subject}`, connection && `connection ${connection}`].filter(Boolean).join(', '), String(sample), values ? 'masked' : 'shapes', clock(until), by,
    ].map((cell) => plain(cell)))
    for (const line of table([['ID', 'PROJECT', 'WHAT', 'SAMPLE', 'DATA', 'UNTIL (UTC)', 'BY'], ...rows])) print(line)
  }
  return 0
}

async function switchOff(call: Call, id: string): Promise<number> {
  const answer = await callHub(readRemote(call), 'DELETE', `/api/v1/taps/${encodeURIComponent(id)}`)
  if (wantsJson(call)) printJson(answer)
  else print(`off: ${plain(id)}`)
  return 0
}

function secondsOf(text: string): number {
  const match = /^(\d{1,5})([smh])$/.exec(text)
  const seconds = match ? Number(match[1]) * UNITS[match[2]!]! : 0
  if (seconds < 1 || seconds > MOST_SECONDS) throw new UsageError(`--for: '${plain(text)}' is not allowed; allowed: a duration such as 90s, 5m, up to 1h`)
  return seconds
}

function sampleOf(text: string): number {
  const share = /^(\d+(\.\d+)?|\.\d+)$/.test(text) ? Number(text) : Number.NaN
  if (!(share > 0 && share <= 1)) throw new UsageError(`--sample: '${plain(text)}' is not allowed; allowed: a number above 0, up to 1`)
  return share
}
