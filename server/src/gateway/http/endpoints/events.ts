/** Events in and out, and GitHub's deliveries. */
import { createHmac } from 'node:crypto'
import { CLOUD_EVENT, CLOUD_EVENT_BATCH } from '@hubbub/protocol'
import { named } from '@hubbub/protocol/catalogue'
import { answered, fields, get, JSON_TYPE, list, okWith, post, TEXT, type Details, type Group, type Parameter } from '../endpoint.js'
import { CURSOR, EVENT } from './samples.js'

const ACK = { enum: ['committed', 'accepted'] }
const ANSWERS = list({ anyOf: [okWith('PublishResult'), named('FailureAnswer')] })

const PUBLISH: Details = {
  access: 'publish:TYPE',
  query: { ack: { about: '`accepted` answers when the event stands in its source stream, before the commit.', schema: ACK } },
  headers: {
    'ce-specversion': { about: 'Makes it a CloudEvent in binary mode: attributes are `ce-` headers (`ce-id`, `ce-type`, `ce-source`, `ce-time`, …), the body is the data.', schema: { const: '1.0' } },
    'Content-Encoding': { about: 'gzip, deflate or br; limits count what was inflated.' },
  },
  body: {
    content: {
      [JSON_TYPE]: {
        anyOf: [
          { allOf: [named('EventInput'), { properties: { ack: ACK } }] },
          list(named('EventInput')),
          { type: 'object', required: ['events'], properties: { events: list(named('EventInput')), ack: ACK } },
        ],
      },
      [CLOUD_EVENT]: named('CloudEventInput'),
      [CLOUD_EVENT_BATCH]: list(named('CloudEventInput')),
    },
  },
  answers: {
    201: answered('One event: it stands in the journal.', okWith('PublishResult')),
    202: answered('One event, `ack=accepted`.', okWith('PublishResult')),
    200: answered('Several: an answer each, in order, whatever became of the others.', fields({ results: ANSWERS })),
  },
  failures: ['INVALID_MESSAGE', 'UNKNOWN_TYPE', 'VALIDATION_ERROR', 'INVALID_TOPIC', 'PAYLOAD_TOO_LARGE', 'INSUFFICIENT_PERMISSIONS', 'STORE_FULL', 'OUTCOME_UNKNOWN', 'NOT_TASK_OWNER', 'STALE_LEASE', 'STALE_REPORT', 'RESULT_INVALID', 'TASK_COMPLETION_ERROR', 'AGENT_NOT_IDENTIFIED'],
  example: {
    body: { id: 'e-1', type: 'task.progress', data: { taskId: 'T-1', progress: 40, message: 'two of five pass' } },
    status: 201,
    answer: { ok: true, id: 'e-1', type: 'task.progress', offset: '1795255450120-0', taskId: 'T-1', progress: 40 },
  },
}

/** Of everything that reads by topics. */
export const TOPICS: Readonly<Record<string, Parameter>> = {
  topics: { about: 'Topics and patterns, comma-separated or repeated.', schema: TEXT },
  topic: { about: 'One topic, commas and all; may be repeated.', schema: TEXT },
}

const HISTORY: Details = {
  access: 'subscribe:TOPIC',
  query: {
    ...TOPICS,
    types: { about: 'Types and patterns (`task.*`), comma-separated or repeated.', schema: TEXT },
    since: { about: 'A cursor, `10m` (s, m, h, d), `last:N`, or `all` (the default).', schema: TEXT },
    limit: { about: 'Events of one answer; 100 unless given.', schema: { type: 'integer', minimum: 1, maximum: 1000 } },
    wait: { about: 'Seconds to wait for the first event when there is none.', schema: { type: 'number', minimum: 0, maximum: 60 } },
    'filter.status': { about: 'And `filter.FIELD` for any other field of the data: it must be equal. true, false, null and numbers are read as such.', schema: TEXT },
    format: { about: '`cloudevents` answers in CloudEvents, like the header Accept.', schema: { enum: ['json', 'cloudevents'] } },
  },
  answers: {
    200: {
      about: 'Events in journal order. Ask on with `since` = `cursor`; at once while `more`.',
      content: { [JSON_TYPE]: okWith('HistoryResult'), [CLOUD_EVENT_BATCH]: list(named('CloudEvent')) },
      headers: { 'Hubbub-Cursor': 'With CloudEvents: `cursor`.', 'Hubbub-More': 'With CloudEvents: `more`.', 'Hubbub-Gap': 'With CloudEvents: `gap` as JSON, when there is one.' },
    },
  },
  failures: ['INVALID_MESSAGE', 'INVALID_TOPIC', 'INVALID_CURSOR', 'INSUFFICIENT_PERMISSIONS'],
  example: { query: { topics: 'task:T-1,agent:*', since: '10m', limit: '1' }, answer: { ok: true, events: [{ event: EVENT, cursor: CURSOR }], cursor: CURSOR, more: true } },
}

const STREAM: Details = {
  access: 'subscribe:TOPIC',
  query: {
    ...TOPICS,
    types: { about: 'Types and patterns (`task.*`), comma-separated or repeated.', schema: TEXT },
    since: { about: 'A cursor, `10m` (s, m, h, d), `last:N`, or `all`; from now on where it is left out.', schema: TEXT },
    lastEventId: { about: 'As the header Last-Event-ID.', schema: TEXT },
    'filter.status': { about: 'And `filter.FIELD` for any other field of the data: it must be equal.', schema: TEXT },
    batchMs: { about: 'Live events may be gathered for so long.', schema: { type: 'integer', minimum: 0, maximum: 60_000 } },
    latestOnly: { about: 'Of the events gathered the last of each topic and type.', schema: { type: 'boolean' } },
    format: { about: 'Of the data.', schema: { enum: ['hubbub', 'cloudevents'] } },
    compress: { about: 'gzip where the client takes it, unless this says otherwise.', schema: { enum: ['gzip', 'none'] } },
  },
  headers: { 'Last-Event-ID': { about: 'A cursor: goes on behind it, whatever `since` says.', schema: TEXT } },
  answers: { 200: { about: 'Server-sent events: `id` is the cursor, `event` the type, `data` the event. It ends when the client leaves.', content: { 'text/event-stream': TEXT } } },
  failures: ['INVALID_MESSAGE', 'INVALID_TOPIC', 'INVALID_CURSOR', 'INSUFFICIENT_PERMISSIONS', 'CONNECTION_LIMIT'],
}

/** The example's own secret, with which it is signed. */
export const WEBHOOK_SECRET = 'a secret that only GitHub and the hub know'
const WEBHOOK_BODY = { zen: 'Keep it logically awesome.', hook_id: 1, repository: { full_name: 'octo/hub' } }

const DELIVERY: Details = {
  access: 'a signature of HUBBUB_GITHUB_SECRET, no credential',
  headers: {
    'X-Hub-Signature-256': { about: '`sha256=` and the HMAC of the body.', schema: TEXT, required: true },
    'X-GitHub-Event': { about: 'The event\'s name.', schema: TEXT, required: true },
    'X-GitHub-Delivery': { about: 'The delivery\'s id: sent again with it, it is taken once.', schema: TEXT, required: true },
  },
  body: { content: { [JSON_TYPE]: { type: 'object' } } },
  answers: { 202: answered('It stands in its source stream.', fields({ id: TEXT, duplicate: { type: 'boolean' } })) },
  failures: ['BAD_SIGNATURE', 'NOT_FOUND', 'INVALID_MESSAGE', 'PAYLOAD_TOO_LARGE', 'UNAVAILABLE', 'STORE_FULL', 'INTERNAL_ERROR'],
}
const SIGNED = { 'X-Hub-Signature-256': `sha256=${createHmac('sha256', WEBHOOK_SECRET).update(JSON.stringify(WEBHOOK_BODY)).digest('hex')}`, 'X-GitHub-Event': 'ping', 'X-GitHub-Delivery': '72d3162e-cc78-11e3-81ab-4c9367dc0958' }

export const EVENTS: Group = {
  title: 'Events',
  access: 'publish:TYPE, subscribe:TOPIC',
  endpoints: [
    post('/api/v1/events', 'Publish one event, a list, { events }, or CloudEvents; ack=accepted answers before the commit.', PUBLISH),
    get('/api/v1/history', 'Events of topics, since a cursor; wait=SECONDS waits for the next one.', HISTORY),
    get('/api/v1/stream', 'Events as they come, as server-sent events.', STREAM),
  ],
}

export const WEBHOOKS: Group = {
  title: 'Webhooks',
  access: 'a signature of HUBBUB_GITHUB_SECRET',
  open: true,
  endpoints: [
    post('/webhooks/github', 'A signed delivery of GitHub.', { ...DELIVERY, example: { headers: SIGNED, body: WEBHOOK_BODY, status: 202, answer: { ok: true, id: '72d3162e-cc78-11e3-81ab-4c9367dc0958', duplicate: false } } }),
    post('/webhooks/github/:project', 'The same, of a project.', {
      ...DELIVERY, example: { path: { project: 'default' }, headers: { ...SIGNED, 'X-GitHub-Delivery': '72d3162e-cc78-11e3-81ab-4c9367dc0959' }, body: WEBHOOK_BODY, status: 202, answer: { ok: true, id: '72d3162e-cc78-11e3-81ab-4c9367dc0959', duplicate: false } },
    }),
  ],
}
