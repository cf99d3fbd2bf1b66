/** A reader of server-sent events that writes down all that it is told, as it came: fields, comments, retry times, and how it ended. */
import { request, type IncomingMessage } from 'node:http'
import type { HubEvent } from '@hubbub/protocol'
import { eventually } from '../harness/eventually.js'

export interface Told {
  id?: string
  event?: string
  data?: string
}

export interface Reader {
  status: number
  headers: Record<string, string | string[] | undefined>
  told: Told[]
  comments: number
  retry: number[]
  ended: boolean
  /** Everything, as text. */
  text(): string
  /** Of the journal's events, their ids. */
  ids(): string[]
  events(): HubEvent[]
  named(event: string): Told[]
  /** Reads no further until it is resumed. */
  pause(): void
  resume(): void
  close(): void
}

const open = new Set<Reader>()
afterEach(() => {
  for (const reader of open) reader.close()
  open.clear()
})

/** Resolves with the headers. */
export async function readStream(url: string, options: { as?: string; headers?: Record<string, string>; method?: string } = {}): Promise<Reader> {
  const { as, headers, method } = options
  const asked = request(url, { method, agent: false, headers: { ...(as !== undefined && { authorization: `Bearer ${as}` }), ...headers } })
  asked.end()
  const response = await new Promise<IncomingMessage>((resolve, reject) => asked.once('response', resolve).once('error', reject))
  asked.on('error', () => undefined)
  let text = ''
  let rest = ''
  const reader: Reader = {
    status: response.statusCode!,
    headers: response.headers,
    told: [],
    comments: 0,
    retry: [],
    ended: false,
    text: () => text,
    events: () => reader.told.filter(({ event }) => event?.includes('.') && !event.startsWith('hub.')).map(({ data }) => JSON.parse(data!) as HubEvent),
    ids: () => reader.events().map(({ id }) => id),
    named: (event) => reader.told.filter((told) => told.event === event),
    pause: () => void response.pause(),
    resume: () => void response.resume(),
    close: () => void asked.destroy(),
  }
  response.setEncoding('utf8').on('data', (part: string) => {
    text += part
    const blocks = (rest + part).split('\n\n')
    rest = blocks.pop()!
    for (const block of blocks) note(reader, block)
  })
  response.once('close', () => (reader.ended = true)).on('error', () => undefined)
  open.add(reader)
  return reader
}

export async function ended(reader: Reader): Promise<void> {
  await eventually(() => reader.ended, 'the end of the stream')
}

function note(reader: Reader, block: string): void {
  const told: Told = {}
  for (const line of block.split('\n')) {
    const colon = line.indexOf(':')
    const [field, value] = [line.slice(0, colon), line.slice(colon + 1).replace(/^ /, '')]
    if (field === '') reader.comments++
    else if (field === 'retry') reader.retry.push(Number(value))
    else if (field === 'id' || field === 'event' || field === 'data') told[field] = value
    else throw new Error(`no line of an event stream: ${line}`)
  }
  if (Object.keys(told).length > 0) reader.told.push(told)
}
