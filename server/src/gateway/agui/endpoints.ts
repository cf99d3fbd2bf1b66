/** What is written down of runs of AG-UI. */
import { named } from '@hubbub/protocol/catalogue'
import { answered, get, json, list, okWith, post, TEXT, type Details, type Endpoint, type Parameter, type Schema } from '../http/endpoint.js'

const EVENT_STREAM = 'text/event-stream'
const AGUI_EVENT: Schema = { type: 'object', required: ['type'], properties: { type: { type: 'string' } } }
const RUN_INPUT: Schema = { type: 'object' }

const RUN_QUERY: Readonly<Record<string, Parameter>> = {
  from: { about: '`start`: every event, verbatim. `snapshot`: what they came to, then verbatim. Neither: start, unless the run is long or the client holds a part of it.', schema: { enum: ['start', 'snapshot'] } },
  wait: { about: 'Seconds to wait for a run of which nothing is known yet.', schema: { type: 'number', minimum: 0, maximum: 60 } },
  since: { about: 'A cursor: verbatim behind it. As the header Last-Event-ID.', schema: TEXT },
}

const RUN: Details = {
  access: 'subscribe:run:ID',
  query: RUN_QUERY,
  answers: {
    200: { about: 'AG-UI events, each one `data`; ends with RUN_FINISHED or RUN_ERROR.', content: { [EVENT_STREAM]: TEXT } },
    204: { about: 'The client holds the run to its end.', content: {} },
  },
  failures: ['INVALID_MESSAGE', 'INVALID_TOPIC', 'INVALID_CURSOR', 'INSUFFICIENT_PERMISSIONS', 'NOT_FOUND', 'CONNECTION_LIMIT', 'UNAVAILABLE'],
}

const PUBLISHING: Details = {
  access: 'publish:agui.TYPE',
  query: { threadId: { about: 'The run\'s thread, where its events do not say.', schema: TEXT } },
  headers: { 'Idempotency-Key': { about: 'Sent again with the same key, events stand in the journal once.', schema: TEXT } },
  body: json({ anyOf: [AGUI_EVENT, list(AGUI_EVENT)] }),
  answers: {
    201: answered('One event: it stands in the journal.', okWith('PublishResult')),
    200: answered('Several: an answer each, in order.', { type: 'object', required: ['ok', 'results'], properties: { ok: { const: true }, results: list({ anyOf: [okWith('PublishResult'), named('FailureAnswer')] }) } }),
  },
  failures: ['INVALID_MESSAGE', 'UNKNOWN_TYPE', 'VALIDATION_ERROR', 'INVALID_TOPIC', 'PAYLOAD_TOO_LARGE', 'INSUFFICIENT_PERMISSIONS', 'STORE_FULL', 'OUTCOME_UNKNOWN'],
  example: {
    path: { runId: 'run-1' },
    body: { type: 'RUN_STARTED', threadId: 'thread-1', runId: 'run-1' },
    status: 201,
    answer: { ok: true, id: '5f0c2b1e-8a1f-4c58-9f8e-0d4c1c9d1f10', type: 'agui.run_started', offset: '1795255450120-0' },
  },
}

export const RUN_ENDPOINTS: readonly Endpoint[] = [
  get('/api/v1/runs/:runId/agui', 'A run for clients of AG-UI, as server-sent events, to its end.', RUN),
  post('/api/v1/runs/:runId/agui', 'The same, as HttpAgent asks.', { ...RUN, body: json(RUN_INPUT) }),
  post('/api/v1/runs/:runId/events', 'Publish AG-UI events of a run as they are, one or a list.', PUBLISHING),
]
