import type { DeadLetter } from '../store/port.js'
import { readRemote, REMOTE, UsageError, type Call, type Command } from './arguments.js'
import { clock, JSON_FLAG, plain, print, printJson, table, wantsJson } from './print.js'
import { callHub } from './remote.js'

export const dead: Command = {
  usage: 'dead list [-n N] | dead show ID | dead replay ID | dead drop ID',
  about: 'Entries of source streams that could not be committed, with their reasons. An ID is PARTITION/OFFSET, as `list` shows it. Needs an admin\'s token.',
  flags: {
    last: { short: 'n', value: 'N', env: 'HUBBUB_LAST', default: '100', about: 'list: at most so many, newest first.' },
    json: JSON_FLAG,
    ...REMOTE,
  },
  async run(call) {
    const [action, ...words] = call.words
    if (action === 'list' && words.length === 0) return await list(call)
    if (action === 'show' || action === 'replay' || action === 'drop') return await one(call, action, words)
    throw new UsageError(`dead: '${call.words.join(' ')}' is not allowed; allowed: list, show ID, replay ID, drop ID`)
  },
}

async function list(call: Call): Promise<number> {
  const answer = await callHub(readRemote(call), 'GET', `/api/v1/dead?limit=${call.integer('last', 1, 1000)}`)
  const letters = answer['letters'] as DeadLetter[]
  if (wantsJson(call)) for (const letter of letters) printJson(letter)
  else {
    const rows = letters.map(({ partition, id, at, stream, code, message }) => [`${partition}/${id}`, clock(at), stream, code, plain(message)])
    for (const line of table([['ID', 'AT (UTC)', 'STREAM', 'CODE', 'REASON'], ...rows])) print(line)
    if (answer['more'] === true) print(`... and more: -n says how many are shown`)
  }
  return 0
}

async function one(call: Call, action: 'show' | 'replay' | 'drop', words: string[]): Promise<number> {
  const match = /^(\d{1,4})[/ ](\d+-\d+)$/.exec(words.join(' '))
  if (!match) throw new UsageError(`dead ${action}: '${words.join(' ')}' is not allowed; allowed: PARTITION/OFFSET, as \`hubbub dead list\` shows it`)
  const path = `/api/v1/dead/${match[1]}/${match[2]}`
  const remote = readRemote(call)
  if (action === 'show') {
    const { letter } = await callHub(remote, 'GET', path)
    print(JSON.stringify(letter, null, wantsJson(call) ? undefined : 2))
    return 0
  }
  const answer = await (action === 'replay' ? callHub(remote, 'POST', `${path}/replay`) : callHub(remote, 'DELETE', path))
  if (wantsJson(call)) printJson(answer)
  else print(action === 'replay' ? `put back on its stream: ${match[1]}/${match[2]}` : `dropped: ${match[1]}/${match[2]}`)
  return 0
}
