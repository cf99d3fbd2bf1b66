/** The stock client of AG-UI, and what it makes of a run's events when it gets them as they are. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { HttpAgent, type BaseEvent, type Message } from '@ag-ui/client'

export type Said = { type: string } & Record<string, unknown>

export interface Held {
  messages: Message[]
  state: unknown
}

export function held({ messages, state }: HttpAgent): Held {
  return { messages, state: state as unknown }
}

/** The client writes to the console whatever it does not like: patches that fail, which some are made for, and ends of streams. */
export function quietClient(): void {
  const { warn, error } = console
  beforeAll(() => void Object.assign(console, { warn: () => undefined, error: () => undefined }))
  afterAll(() => void Object.assign(console, { warn, error }))
}

/** A stream of server-sent events as AG-UI's encoder writes it. */
export function encoded(events: readonly Said[]): string {
  return events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join('')
}

/** What a client holds in the end that is given the events without any network. Rejects when it would not take them. */
export async function applied(events: readonly Said[], initial: Partial<Held> = {}): Promise<Held> {
  const agent = new HttpAgent({
    url: 'http://nowhere.invalid', threadId: 't', initialMessages: initial.messages, initialState: initial.state as object | undefined,
    fetch: () => Promise.resolve(new Response(encoded(events), { headers: { 'content-type': 'text/event-stream' } })),
  })
  await agent.runAgent()
  return held(agent)
}

/** A direct run: the client reads from a plain server that has nothing to do with the hub. */
export async function direct(events: readonly Said[], initial: Partial<Held> = {}): Promise<Held> {
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).end(encoded(events))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  try {
    const agent = new HttpAgent({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, threadId: 't', initialMessages: initial.messages, initialState: initial.state as object | undefined })
    await agent.runAgent()
    return held(agent)
  } finally {
    server.close()
  }
}

/** A cut as the end of the stream, which the client takes for success. The error itself it throws where nobody can catch it. */
function endedEarly(body: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> {
  const reader = body.getReader()
  return new ReadableStream({
    async pull(controller) {
      const part = await reader.read().catch(() => ({ done: true, value: undefined }))
      if (part.value) controller.enqueue(part.value)
      else controller.close()
    },
    cancel: (reason) => reader.cancel(reason),
  })
}

/** A reader of a run through the hub. */
export interface RunReader {
  agent: HttpAgent
  /** All events that it was given, over all of its calls. */
  events: BaseEvent[]
  /** Resolves when the answer to the present call has begun. */
  begun: Promise<void>
  /** Once more, with the same agent. Resolves when the stream is over. */
  run(): Promise<void>
}

export function runReader(url: string, token: string, initial: Partial<Held> = {}): RunReader {
  let begin = () => {}
  const agent = new HttpAgent({
    url, threadId: 't', headers: { authorization: `Bearer ${token}` }, initialMessages: initial.messages, initialState: initial.state as object | undefined,
    fetch: async (to, init) => {
      const response = await fetch(to, init)
      begin()
      return new Response(response.body && endedEarly(response.body), response)
    },
  })
  const reader: RunReader = {
    agent,
    events: [],
    begun: Promise.resolve(),
    async run() {
      reader.begun = new Promise((resolve) => (begin = resolve))
      await agent.runAgent({}, { onEvent: ({ event }) => void reader.events.push(event) })
    },
  }
  return reader
}
