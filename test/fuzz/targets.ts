/** The gateways' parsers, a name each: how an input for it is made, and what became of it. One table for the tests and for the long run. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { HubError, inputOfCloudEvent, isTopic, parseSince, toCloudEvent, type HubEvent } from '@hubbub/protocol'
import { checkHistory, checkSubscribe, checkTaskCancel, checkTaskChanges, checkTaskOrder, normalise, routeTopics } from '@hubbub/protocol/catalogue'
import { Decoder } from 'socket.io-parser'
import { credentialFromAuth, credentialFromRequest } from '../../server/src/access/credentials.js'
import type { Identity } from '../../server/src/access/identity.js'
import type { AguiEvent } from '../../server/src/gateway/agui/events.js'
import { Replica } from '../../server/src/gateway/agui/replica.js'
import { mapDelivery } from '../../server/src/gateway/github/mapping.js'
import { readListQuery } from '../../server/src/gateway/http/entities.js'
import { readHistoryQuery, readSubscription } from '../../server/src/gateway/http/history.js'
import { parseMessage } from '../../server/src/gateway/websocket/parse.js'
import { routeOf } from '../../server/src/gateway/websocket/routes.js'
import { createDecoder } from '../../server/src/processor/decode.js'
import { silent } from '../../server/src/observe/log.js'
import { SOURCES } from '../../server/src/store/port.js'
import type { Random } from '../faults/random.js'
import { EVENTS, EXAMPLES, someEvent, someMessage } from './corpus.js'
import type { Correspondent, Embedded } from './embedded.js'
import { refusalOf } from './judge.js'
import { anyBytes, anyJson, mutateBytes, mutateJson, mutateText, strangeText } from './mutate.js'

/** `accepted`, or a failure's code. Throws what is a finding. */
export type Outcome = string

export interface Target {
  /** As the report's table names it. */
  gateway: string
  /** Of a hundred inputs of a run. */
  share: number
  /** One input, and what became of it. `note` is called with it first, so that a finding can name it. */
  fire(random: Random, note: (input: unknown) => void): Promise<Outcome> | Outcome
  close?(): void
}

export const ADMIN: Identity = { subject: 'fuzz', role: 'admin', project: 'default', projects: ['default'], permissions: ['admin', 'publish:*', 'subscribe:*', 'signal:*', 'command:*', 'broadcast:*'], via: 'jwt' }

/** What is thrown and no refusal is a finding. */
function outcome(step: () => unknown): Outcome {
  try {
    step()
    return 'accepted'
  } catch (error) {
    return refusalOf(error).code
  }
}

// ---------------------------------------------------------------- over a hub

/** Conditions of a connection, and no fault of the hub: it has as many subscriptions as it may, or nobody carries a command out. */
const PASSING = new Set(['SUBSCRIPTION_LIMIT', 'NO_EXECUTOR', 'UNAVAILABLE', 'COMMAND_TIMEOUT', 'EXECUTOR_LOST', 'TIMEOUT'])

function judged(code: string): Outcome {
  return PASSING.has(code) ? code : refusalOf(new HubError(code as never)).code
}

/** Inputs of one connection, before another one takes its place: what one leaves behind must not decide what the next one meets. */
const OF_ONE = 300

/** A client that is replaced now and then, while another one listens to everything. */
function speaking(embedded: Embedded, way: string, act: (client: Correspondent, random: Random, note: (input: unknown) => void) => Promise<Outcome>): Pick<Target, 'fire' | 'close'> {
  let client: Correspondent | undefined
  let left = 0
  return {
    async fire(random, note) {
      if (left-- <= 0 || !client) {
        client?.close()
        client = await embedded.open(ADMIN, way)
        left = OF_ONE
      }
      client.taken()
      const outcome = await act(client, random, note)
      return client.taken().map(judged)[0] ?? outcome
    },
    close: () => client?.close(),
  }
}

const asText = (random: Random, value: unknown): string => {
  const json = JSON.stringify(value) ?? 'undefined'
  return random.chance(0.1) ? mutateText(random, json) : json
}

/** A message of a dialect as bytes of its frames: mostly whole JSON. */
async function hear(client: Correspondent, random: Random, message: unknown, note: (input: unknown) => void): Promise<Outcome> {
  const text = asText(random, message)
  const bytes = random.chance(0.05) ? mutateBytes(random, text) : random.chance(0.02) ? anyBytes(random) : Buffer.from(text)
  note(bytes.toString())
  try {
    await client.hear(parseMessage(bytes, random.chance(0.01)))
    return 'accepted'
  } catch (error) {
    if (error instanceof HubError && PASSING.has(error.code)) return error.code
    return refusalOf(error).code
  }
}

const WORDS = [
  'ping', 'pong', 'heartbeat', 'subscribe', 'unsubscribe', 'publish', 'signal', 'snapshot', 'command', 'broadcast', 'presence', 'agent.register', 'agent:register', 'agent:heartbeat', 'task:accepted', 'task:progress', 'task:result', 'auth_request', 'connect',
  'get_status', 'refresh', 'system:health_check', 'events', 'progress_update', 'agent_status', 'task_started', 'tdd_phase_change', 'workflow_started', 'deploy', 'event', 'history',
]

/** In the form of any dialect: which of them takes it is another question. */
function someDialectMessage(random: Random): unknown {
  const choice = random.integer(0, 9)
  if (choice === 0) return anyJson(random)
  if (choice < 4) return mutateJson(random, random.pick(EXAMPLES))
  const [name, input] = choice < 7 ? someMessage(random) : [random.pick(WORDS), random.chance(0.5) ? someEvent(random) : anyJson(random)]
  const word = choice < 7 ? name : random.pick(WORDS)
  const form = random.pick(['type', 'command', 'event_type'])
  const body = random.pick(['payload', 'data'])
  const event = random.pick(EVENTS)
  if (random.chance(0.3)) return mutateJson(random, { [form]: event.type.replace('.', random.pick([':', '_', '.'])), [body]: event.data, id: `m${random.integer(0, 99)}`, timestamp: 1_772_359_200_000, metadata: {} })
  return { [form]: word, [body]: input, ...(random.chance(0.6) && { id: random.chance(0.8) ? `m${random.integer(0, 99)}` : anyJson(random, 1) }) }
}

export function hubTargets(embedded: Embedded): Target[] {
  const dialect = (gateway: string, way: string, share: number): Target => ({ gateway, share, ...speaking(embedded, way, (client, random, note) => hear(client, random, someDialectMessage(random), note)) })
  return [
    {
      gateway: 'Socket.IO messages', share: 12,
      ...speaking(embedded, '/ws', async (client, random, note) => {
        const [name, input] = someMessage(random)
        const args = random.chance(0.05) ? [input, strangeText(random)] : input === undefined ? [] : [input]
        note([name, ...args])
        const answer = await client.say(random.chance(0.02) ? anyJson(random) : name, args)
        return answer.ok ? 'accepted' : judged(answer.error.code)
      }),
    },
    {
      gateway: 'Socket.IO packets', share: 10,
      ...speaking(embedded, '/ws', async (client, random, note) => {
        const packet = somePacket(random)
        note(packet.toString())
        let args: unknown[] | undefined
        const decoder = new Decoder()
        decoder.on('decoded', ({ type, data }: { type: number; data: unknown }) => {
          if (type === 2 && Array.isArray(data)) args = data as unknown[]
        })
        try {
          decoder.add(packet)
        } catch {
          // The library's own words for what is no packet; its server closes the connection.
          return 'parse error'
        } finally {
          decoder.destroy()
        }
        if (!args) return 'no event'
        const answer = await client.say(args[0], args.slice(1))
        return answer.ok ? 'accepted' : judged(answer.error.code)
      }),
    },
    dialect('/ws', '/ws', 6), dialect('/ws/tasks/:taskId', '/ws/tasks/T-1', 5), dialect('/ws/:project', '/ws/default', 6), dialect('/ws?dialect=autosdlc', '/ws?dialect=autosdlc', 6), dialect('/ws?dialect=mcp', '/ws?dialect=mcp', 6),
  ]
}

function somePacket(random: Random): string {
  const [name, input] = someMessage(random)
  const whole = `2${random.chance(0.5) ? random.integer(0, 99) : ''}${JSON.stringify([name, input ?? null])}`
  const choice = random.integer(0, 9)
  if (choice < 5) return whole
  if (choice === 5) return anyBytes(random).toString('latin1')
  if (choice === 6) return `${random.pick(['0', '1', '2', '3', '4', '5', '6', '50-', '51-', '2/', '2/other,', '9', '51-'])}${JSON.stringify(anyJson(random))}`
  return mutateText(random, whole)
}

// ---------------------------------------------------------------- by function

const LIMITS = { maxEventBytes: 65_536, maxSnapshotBytes: 1_048_576, maxDepth: 32, maxTopics: 50 }
const decode = createDecoder({ partition: 0, partitions: 1, settings: { rawStreams: 'workflows', ...LIMITS }, log: silent })

interface Example {
  name: string
  examples: Record<string, unknown>[]
}
const path = createRequire(import.meta.url).resolve('@octokit/webhooks-examples/api.github.com/index.json')
/** Of each webhook event a few, and no endless ones. */
const DELIVERIES = (JSON.parse(readFileSync(path, 'utf8')) as Example[]).flatMap(({ name, examples }) => examples.slice(0, 3).map((payload) => ({ name, payload })))
const AGUI = EVENTS.filter(({ type }) => type.startsWith('agui.')).map(({ data }) => data as AguiEvent)
const CLOUD = EVENTS.map((event) => toCloudEvent({ timestamp: 1_772_359_200_000, project: 'default', topics: ['task:T-1'], metadata: { version: '1.0', source: '/x', recordedAt: 1_772_359_200_000 }, ...event, id: 'c1' } as HubEvent))
const ORDERS = [{ id: 'T-2', type: 'test', requires: ['test'], pipelineId: 'P-1', deadline: '2027-01-01T00:00:00Z', priority: 3, dependsOn: ['T-1'], parameters: { a: 1 } }, { reason: 'x' }, { progress: 5 }, { priority: 1, deadline: null }]
const QUERIES = [
  'topics=task:1,agent:*&types=task.*&since=10m&limit=100&wait=30&filter.stage=build', 'topics=*&since=all&format=cloudevents', 'topic=task:a,b&since=last:20', 'topics=task:*&batchMs=500&latestOnly=true&compress=gzip',
  'status=failed&pipelineId=p1&limit=5&after=x', 'topics=*&filter.n=3&filter.s="3"&filter.b=true&filter.z=null&since=ep.1-0', 'token=a.b.c&project=default&client_id=panel-7',
]

function someQuery(random: Random): string {
  let query = random.pick(QUERIES)
  for (let times = random.integer(0, 3); times > 0; times--) query = mutateText(random, query)
  return random.chance(0.3) ? encodeURI(query.toWellFormed()) : query
}

export const FUNCTION_TARGETS: readonly Target[] = [
  {
    gateway: 'POST /events', share: 14,
    fire(random, note) {
      const event = someEvent(random)
      note(event)
      return outcome(() => {
        const normal = normalise(event, LIMITS)
        if (!routeTopics(normal).every(isTopic)) throw new Error('a topic that is none')
      })
    },
  },
  {
    gateway: 'GET queries', share: 10,
    fire(random, note) {
      const text = someQuery(random)
      note(text)
      const query = new URLSearchParams(text)
      return outcome(() => {
        const { since, ...history } = readHistoryQuery(query)
        if (since !== undefined) parseSince(since)
        checkHistory(history, LIMITS)
        const { since: _since, ...subscription } = readSubscription(query)
        checkSubscribe(subscription, LIMITS)
        readListQuery(query, random.pick(['agent', 'task', 'pipeline', 'stream', 'checkpoint', 'run', 'task_type'] as const))
      })
    },
  },
  {
    gateway: 'paths, credentials', share: 5,
    fire(random, note) {
      const url = mutateText(random, random.pick(['/ws/tasks/T-1?client_id=x', '/ws/default', '/ws?dialect=mcp', '/webhooks/github/default', `/api/v1/history?${random.pick(QUERIES)}`]))
      const headers = { authorization: mutateText(random, 'Bearer a.b.c'), 'x-api-key': strangeText(random), cookie: mutateText(random, 'a=b; hubbub_token="a.b.c"') }
      const auth = mutateJson(random, { token: 'a.b.c', apiKey: 'hub_x', project: 'default', pid: 'x', offset: 'e.1-0' })
      note({ url, headers, auth })
      return outcome(() => {
        routeOf({ url }, '/ws')
        credentialFromAuth(auth)
        credentialFromRequest({ url, headers })
      })
    },
  },
  {
    gateway: 'POST /webhooks/github', share: 5,
    fire(random, note) {
      const { name, payload } = random.pick(DELIVERIES)
      const mutated = mutateJson(random, payload)
      const delivery = typeof mutated === 'object' && mutated !== null && !Array.isArray(mutated) ? (mutated as Record<string, unknown>) : {}
      note({ name, delivery })
      return outcome(() => {
        const event = normalise(mapDelivery(random.chance(0.05) ? 'toString' : name, `d-${random.integer(0, 1e6)}`, delivery), LIMITS)
        if (!routeTopics(event).every(isTopic)) throw new Error('a topic that is none')
      })
    },
  },
  {
    gateway: 'AG-UI runs', share: 5,
    fire(random, note) {
      const replica = new Replica()
      const events = Array.from({ length: random.integer(1, 6) }, () => (random.chance(0.4) ? random.pick(AGUI) : (mutateJson(random, random.pick(AGUI)) as AguiEvent)))
      note(events)
      return outcome(() => {
        for (const event of events) {
          // What a schema refuses never stands in a journal.
          const { data } = normalise({ type: `agui.${String((event as { type?: unknown } | null)?.type).toLowerCase()}`, data: event }, LIMITS)
          const whole = data as AguiEvent
          if (whole.type === 'RUN_STARTED') replica.begin(whole)
          else replica.take(whole)
        }
        JSON.stringify(replica.document)
      })
    },
  },
  {
    gateway: 'CloudEvents', share: 5,
    fire(random, note) {
      const cloud = mutateJson(random, random.pick(CLOUD))
      note(cloud)
      return outcome(() => normalise(inputOfCloudEvent(cloud), LIMITS))
    },
  },
  {
    gateway: 'POST /tasks', share: 3,
    fire(random, note) {
      const order = mutateJson(random, random.pick(ORDERS))
      note(order)
      return outcome(() => random.pick([() => checkTaskOrder(order, LIMITS), () => checkTaskChanges(order, LIMITS), () => checkTaskCancel(order)])())
    },
  },
  {
    gateway: 'source streams', share: 7,
    fire(random, note) {
      const event = asText(random, someEvent(random))
      const identity = random.chance(0.5) ? { identity: asText(random, random.chance(0.8) ? { source: '/agents/a', project: 'default' } : anyJson(random)) } : {}
      const entry = { stream: random.pick(SOURCES), id: '1700000000000-1', fields: { event, ...identity } }
      note(entry)
      const verdict = decode(entry)
      return 'refusal' in verdict ? judged(verdict.refusal.dead!.code) : 'accepted'
    },
  },
]
