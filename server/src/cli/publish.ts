import { createInterface } from 'node:readline'
import type { Client } from '@hubbub/client'
import { HubError, type PublishResult } from '@hubbub/protocol'
import { readRemote, REMOTE, UsageError, type Call, type Command } from './arguments.js'
import { failureLine, JSON_FLAG, note, plain, print, printJson, wantsJson } from './print.js'
import { openClient } from './remote.js'

/** Lines under way at once. */
const WINDOW = 500

export const publish: Command = {
  usage: 'publish TYPE [--topic T] --data JSON|-',
  about: 'Publishes one event, or with `--data -` one for each line of JSON on standard input, in their order.',
  flags: {
    topic: { value: 'T', env: 'HUBBUB_TOPIC', isList: true, about: 'A topic besides those that type and data give; several: again, or commas.' },
    data: { value: 'JSON', env: 'HUBBUB_DATA', about: 'The data; `-` reads lines of JSON.' },
    id: { value: 'ID', env: 'HUBBUB_ID', about: 'Idempotency key; default a UUID. Not with `--data -`.' },
    json: JSON_FLAG,
    ...REMOTE,
  },
  async run(call) {
    const [type, ...rest] = call.words
    if (type === undefined) throw new UsageError('TYPE is missing')
    if (rest.length > 0) throw new UsageError(`'${rest[0]}' is one word too many; is the data in quotes, behind --data?`)
    const data = call.required('data')
    const id = call.text('id')
    const topics = call.list('topic')
    if (data === '-' && id !== undefined) throw new UsageError('--id is of one event, and `--data -` reads many')
    const value = data === '-' ? undefined : readJson(data, '--data')
    const report = reporter(call)
    const client = await openClient(readRemote(call))
    const send = (line: unknown): Promise<PublishResult> => client.publish(type, line, { ...(topics && { topics }), ...(id && { id }) })
    try {
      if (data === '-') return await publishLines(client, send, report)
      report(await send(value))
      return 0
    } finally {
      client.close()
    }
  },
}

async function publishLines(client: Client, send: (data: unknown) => Promise<PublishResult>, report: (result: PublishResult) => void): Promise<number> {
  let failures = 0
  let number = 0
  const under = new Set<Promise<void>>()
  for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
    number++
    if (line.trim() === '') continue
    const at = number
    const done = publishLine(line, send).then(report, (error: unknown) => {
      failures++
      if (!(error instanceof HubError || error instanceof UsageError)) throw error
      note(`hubbub publish: line ${at}: ${error instanceof HubError ? failureLine(error) : error.message}`)
    })
    under.add(done)
    void done.finally(() => under.delete(done))
    // Refused for good: the rest would be refused one by one.
    if (client.state === 'closed') break
    while (under.size >= WINDOW) await Promise.race(under)
  }
  await Promise.all(under)
  return failures > 0 ? 1 : 0
}

async function publishLine(line: string, send: (data: unknown) => Promise<PublishResult>): Promise<PublishResult> {
  return await send(readJson(line, 'it'))
}

function reporter(call: Call): (result: PublishResult) => void {
  if (wantsJson(call)) return printJson
  return ({ type, id, offset, duplicate }) => print(`${duplicate ? 'was there already' : 'committed'}: ${type} ${id}${offset ? ` at ${offset}` : ''}`)
}

function readJson(text: string, where: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new UsageError(`${where} is not JSON: ${plain(text.length > 60 ? `${text.slice(0, 60)}…` : text)}`)
  }
}
