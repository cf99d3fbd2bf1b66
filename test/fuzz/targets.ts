/** Parsers that are functions, a name each: how an input is made, and what became of it. The tests and the long run read the same table; `speakers.ts` has the rest of it. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { FAILURES, inputOfCloudEvent, isFailureCode, isTopic, parseSince, toCloudEvent, type HubEvent } from '@hubbub/protocol'
import { checkHistory, checkSubscribe, checkTaskCancel, checkTaskChanges, checkTaskOrder, normalise, routeTopics } from '@hubbub/protocol/catalogue'
import { credentialFromAuth, credentialFromRequest } from '../../server/src/access/credentials.js'
import type { AguiEvent } from '../../server/src/gateway/agui/events.js'
import { Replica } from '../../server/src/gateway/agui/replica.js'
import { mapDelivery } from '../../server/src/gateway/github/mapping.js'
import { readListQuery } from '../../server/src/gateway/http/entities.js'
import { readHistoryQuery, readSubscription } from '../../server/src/gateway/http/history.js'
import { routeOf } from '../../server/src/gateway/websocket/routes.js'
import { createDecoder } from '../../server/src/processor/decode.js'
import { silent } from '../../server/src/observe/log.js'
import { SOURCES } from '../../server/src/store/port.js'
import type { Random } from '../faults/random.js'
import { EVENTS, someEvent } from './corpus.js'
import { refusalOf } from './judge.js'
import { anyJson, mutateJson, mutateText, strangeText } from './mutate.js'

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

/** What is thrown and no refusal is a finding. */
function outcome(step: () => unknown): Outcome {
  try {
    step()
    return 'accepted'
  } catch (error) {
    return refusalOf(error).code
  }
}

/** Conditions of a connection, and no fault of the hub: it has as many subscriptions as it may, or nobody carries a command out. */
export const PASSING = new Set(['SUBSCRIPTION_LIMIT', 'NO_EXECUTOR', 'UNAVAILABLE', 'COMMAND_TIMEOUT', 'EXECUTOR_LOST', 'TIMEOUT'])

export function judged(code: string): Outcome {
  if (PASSING.has(code) || (isFailureCode(code) && FAILURES[code].status < 500)) return code
  throw new Error(`refused with ${code}, which is none, or the hub's own fault`)
}

export const asText = (random: Random, value: unknown): string => {
  const json = JSON.stringify(value) ?? 'undefined'
  return random.chance(0.1) ? mutateText(random, json) : json
}

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
const TASK_REQUESTS: readonly (readonly [request: object, check: (request: unknown) => unknown])[] = [
  [{ id: 'T-2', type: 'test', requires: ['test'], pipelineId: 'P-1', deadline: '2027-01-01T00:00:00Z', priority: 3, dependsOn: ['T-1'], parameters: { a: 1 } }, (request) => checkTaskOrder(request, LIMITS)],
  [{ title: 'another', priority: 'high', deadline: '2027-01-01T00:00:00Z' }, (request) => checkTaskChanges(request, LIMITS)],
  [{ taskId: 'T-1', reason: 'x' }, checkTaskCancel],
]
const QUERIES = [
  'topics=task:1,agent:*&types=task.*&since=10m&limit=100&wait=0&filter.stage=build', 'topics=*&since=all&format=cloudevents', 'topic=task:a,b&since=last:20', 'topics=task:*&batchMs=500&latestOnly=true&compress=gzip',
  'status=failed&pipelineId=p1&limit=5&after=x', 'topics=*&filter.n=3&filter.s="3"&filter.b=true&filter.z=null&since=ep.1-0', 'token=a.b.c&project=default&client_id=panel-7',
]

export function someQuery(random: Random): string {
  let query = random.pick(QUERIES)
  for (let times = random.integer(0, 3); times > 0; times--) query = mutateText(random, query)
  return random.chance(0.3) ? encodeURI(query.replaceAll(/\p{Cs}/gu, '')) : query
}

/** One of GitHub's own examples, mutated; an object still. */
export function someDelivery(random: Random): { name: string; payload: Record<string, unknown> } {
  const { name, payload } = random.pick(DELIVERIES)
  const mutated = mutateJson(random, payload)
  return { name, payload: typeof mutated === 'object' && mutated !== null && !Array.isArray(mutated) ? (mutated as Record<string, unknown>) : {} }
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
      const { name, payload } = someDelivery(random)
      note({ name, payload })
      return outcome(() => {
        const event = normalise(mapDelivery(random.chance(0.05) ? 'toString' : name, `d-${random.integer(0, 1e6)}`, payload), LIMITS)
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
          const type: unknown = (event as { type?: unknown } | null)?.type
          const { data } = normalise({ type: `agui.${typeof type === 'string' ? type.toLowerCase() : ''}`, data: event }, LIMITS)
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
      const [request, check] = random.pick(TASK_REQUESTS)
      const asked = mutateJson(random, request)
      note(asked)
      return outcome(() => check(asked))
    },
  },
  {
    gateway: 'source streams', share: 7,
    fire(random, note) {
      const event = asText(random, someEvent(random))
      const identity = asText(random, random.chance(0.8) ? { source: '/agents/a', project: 'default' } : anyJson(random))
      const fields: Record<string, string> = random.chance(0.5) ? { event, identity } : { event }
      const entry = { stream: random.pick(SOURCES), id: '1700000000000-1', fields }
      note(entry)
      const verdict = decode(entry)
      return 'refusal' in verdict ? judged(verdict.refusal.dead!.code) : 'accepted'
    },
  },
]
