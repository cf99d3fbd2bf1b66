/** For admins and operators: status, keys, revocations, dead letters; health, metrics and the documents themselves. */
import type { Overview } from '@hubbub/protocol'
import { named } from '@hubbub/protocol/catalogue'
import { answered, fields, get, json, list, post, remove, TEXT, WHOLE, type Example, type Group } from '../endpoint.js'

const KEY = { id: TEXT, subject: TEXT, role: TEXT, projects: list(TEXT), createdAt: WHOLE, 'permissions?': list(TEXT), 'revokedAt?': WHOLE }
const Key = { type: 'object', required: ['id', 'subject', 'role', 'projects', 'createdAt'] }
const Letter = {
  type: 'object', required: ['id', 'partition', 'stream', 'entry', 'code', 'message', 'at', 'fields'],
  properties: { id: TEXT, partition: WHOLE, stream: TEXT, entry: TEXT, code: TEXT, message: TEXT, at: { ...WHOLE, description: 'ms since the epoch' }, fields: { type: 'object', description: 'The entry as it came in.' } },
}
const KEY_SAMPLE = { id: '0123456789abcdef', subject: 'ci', role: 'service', projects: ['default'], createdAt: 1_795_255_450_120 }
const LETTER = { id: '1795255450120-0', partition: 0, stream: 'workflows', entry: '1795255450100-0', code: 'INVALID_MESSAGE', message: 'event is no JSON', at: 1_795_255_450_120, fields: { event: 'nonsense' } }
const CONNECTIONS = { open: 2, active: 1, byTransport: { websocket: 2 }, subscriptions: 1, catchingUp: 0, slow: 0 }
const RATES = { accepted: 120, committed: 120, delivered: 240, refused: 0 }
const LATENCIES = { commit: { p50: 3.1, p95: 7.4, p99: 9.6 }, delivery: { p50: 2.2, p95: 4.8, p99: 5 } }
const OVERVIEW: Overview = {
  at: '2026-11-21T12:00:00.000Z',
  processes: [{
    id: 'hub-1', node: 'hub-1', role: 'all', version: '0.1.0', startedAt: '2026-11-21T11:00:00.000Z', seenAt: '2026-11-21T11:59:59.000Z', status: 'up', partitions: [0],
    connections: CONNECTIONS, rates: RATES, latency: LATENCIES, cpu: 0.12, memoryBytes: 90_000_000, loopDelayMs: 1.2,
  }],
  partitions: [{ partition: 0, owner: 'hub-1', lag: 0, deadLetters: 1 }],
  store: { kind: 'redis', pingMs: 0.4, version: '7.0.15', memoryBytes: 2_000_000, clients: 5, operations: 300 },
  connections: CONNECTIONS, rates: RATES, latency: LATENCIES, errors: [{ code: 'RATE_LIMITED', count: 3, lastAt: '2026-11-21T11:58:00.000Z' }], deadLetters: 1, sinks: { active: 0, paused: 0 }, alerts: [],
}
const PLACE = { partition: '0', id: LETTER.id }
const operator = (answer: unknown, more: Partial<Example> = {}): Example => ({ as: 'operator', answer, ...more })
const GONE = ['NOT_FOUND', 'INSUFFICIENT_PERMISSIONS'] as const

export const ADMINISTRATION: Group = {
  title: 'Administration',
  access: 'admin; the two of status: any credential',
  endpoints: [
    get('/api/v1/status', 'This process, and what the caller may know of the rest.', {
      access: 'any credential',
      answers: { 200: answered('Of partitions: for admins.', fields({ version: TEXT, role: TEXT, node: TEXT, uptimeMs: WHOLE, project: TEXT, store: { type: 'object' }, connections: { type: 'object' }, 'partitions?': list({ type: 'object' }) })) },
      example: {
        answer: {
          ok: true, version: '0.1.0', role: 'all', node: 'hub-1', uptimeMs: 4000, project: 'default', store: { kind: 'redis', pingMs: 1, partitions: 4 }, connections: { total: 2, active: 1 }, partitions: [{ partition: 3, owner: 'hub-1' }],
        },
      },
    }),
    get('/api/v1/websocket/status', 'Connections of this process.', {
      access: 'any credential', answers: { 200: answered('Of the caller\'s project.', fields({ total: WHOLE, active: WHOLE })) }, example: { answer: { ok: true, total: 2, active: 1 } },
    }),
    get('/api/v1/overview', 'How the whole hub is.', {
      access: 'admin of every project',
      answers: { 200: answered('Processes, partitions, rates, latencies, refusals, alerts. Made at most once a second.', fields({ overview: named('Overview') })) },
      failures: ['INSUFFICIENT_PERMISSIONS', 'UNAVAILABLE'],
      example: operator({ ok: true, overview: OVERVIEW }),
    }),
    get('/api/v1/keys', 'API keys.', { answers: { 200: answered('Without their secrets.', fields({ keys: list(Key) })) }, failures: ['INSUFFICIENT_PERMISSIONS'], example: { answer: { ok: true, keys: [KEY_SAMPLE] } } }),
    post('/api/v1/keys', 'Make one.', {
      body: json({ type: 'object', required: ['subject'], properties: { subject: TEXT, role: { enum: ['viewer', 'agent', 'service', 'admin'] }, projects: list(TEXT), permissions: list(TEXT) } }),
      answers: { 201: answered('The key is shown once.', fields({ key: TEXT, ...KEY })) },
      failures: ['INVALID_MESSAGE', 'PAYLOAD_TOO_LARGE', 'INSUFFICIENT_PERMISSIONS'],
      example: { body: { subject: 'ci', role: 'service' }, status: 201, answer: { ok: true, key: 'hub_0123456789abcdef_…', ...KEY_SAMPLE } },
    }),
    remove('/api/v1/keys/:id', 'Revoke one.', {
      answers: { 200: answered('Its connections end within seconds.', fields(KEY)) }, failures: GONE, example: { path: { id: KEY_SAMPLE.id }, answer: { ok: true, ...KEY_SAMPLE, revokedAt: 1_795_255_460_000 } },
    }),
    post('/api/v1/revocations', 'Revoke a subject.', {
      body: json({ type: 'object', required: ['subject'], properties: { subject: TEXT } }),
      answers: { 201: answered('In the admin\'s projects. Credentials made later count again.', fields({ subject: TEXT, projects: list(TEXT), revokedAt: WHOLE })) },
      failures: ['INVALID_MESSAGE', 'PAYLOAD_TOO_LARGE', 'INSUFFICIENT_PERMISSIONS'],
      example: { body: { subject: 'mallory' }, status: 201, answer: { ok: true, subject: 'mallory', projects: ['default'], revokedAt: 1_795_255_450_120 } },
    }),
    get('/api/v1/dead', 'Dead letters.', {
      query: { limit: { about: 'The newest; 100 unless given.', schema: { ...WHOLE, minimum: 1, maximum: 1000 } } },
      answers: { 200: answered('What came in and could not be committed, with its reason.', fields({ letters: list(Letter), more: { type: 'boolean' } })) },
      failures: ['INVALID_MESSAGE', 'INSUFFICIENT_PERMISSIONS'],
      example: operator({ ok: true, letters: [LETTER], more: false }, { query: { limit: '10' } }),
    }),
    get('/api/v1/dead/:partition/:id', 'One of them.', { answers: { 200: answered('As it came.', fields({ letter: Letter })) }, failures: GONE, example: operator({ ok: true, letter: LETTER }, { path: PLACE }) }),
    post('/api/v1/dead/:partition/:id/replay', 'Try it again.', {
      answers: { 200: answered('It stands in its source stream again.', fields({ partition: WHOLE, id: TEXT })) }, failures: GONE, example: operator({ ok: true, partition: 0, id: LETTER.id }, { path: PLACE }),
    }),
    remove('/api/v1/dead/:partition/:id', 'Throw it away.', { answers: { 200: answered('It is gone.', fields({ partition: WHOLE, id: TEXT })) }, failures: GONE, example: operator({ ok: true, partition: 0, id: LETTER.id }, { path: PLACE }) }),
  ],
}

const page = { 200: { about: 'A page that loads nothing and runs nothing.', content: { 'text/html': TEXT } } }
const status = (word: string) => ({ 200: answered('Yes.', fields({ status: { const: word } })) })
const DOCUMENT = { type: 'object' }

export const OPERATION: Group = {
  title: 'Operation',
  access: 'everybody; /metrics as HUBBUB_METRICS says',
  open: true,
  endpoints: [
    get('/', 'The dashboard, unless HUBBUB_DASHBOARD is `off`.', { answers: { 200: { about: 'A page; it signs in with a token of its visitor\'s.', content: { 'text/html': TEXT } } }, failures: ['NOT_FOUND'], example: { answer: '<!doctype html>…' } }),
    get('/health', 'Whether the hub can be used.', { answers: status('healthy'), failures: ['UNAVAILABLE'], example: { answer: { ok: true, status: 'healthy' } } }),
    get('/health/live', 'Whether the process answers.', { answers: status('live'), example: { answer: { ok: true, status: 'live' } } }),
    get('/health/ready', 'Whether it should get traffic.', { answers: status('ready'), failures: ['UNAVAILABLE'], example: { answer: { ok: true, status: 'ready' } } }),
    get('/metrics', 'For Prometheus.', { answers: { 200: { about: 'Totals of all projects.', content: { 'text/plain': TEXT } } }, failures: ['INSUFFICIENT_PERMISSIONS'], example: { answer: '# TYPE hubbub_rejections_total counter\n…' } }),
    get('/docs', 'Leads to /api/docs.', { answers: { 308: { about: 'Moved.', content: {}, headers: { Location: '/api/docs' } } }, example: { status: 308, answer: undefined } }),
    get('/api/docs', 'This page.', { answers: page, example: { answer: '<!doctype html>…' } }),
    get('/api/openapi.json', 'This table as an OpenAPI 3.1 document.', { answers: { 200: answered('OpenAPI 3.1.', DOCUMENT) }, example: { answer: { openapi: '3.1.0' } } }),
    get('/api/asyncapi.json', 'Every message of Socket.IO as an AsyncAPI 3 document.', { answers: { 200: answered('AsyncAPI 3.', DOCUMENT) }, example: { answer: { asyncapi: '3.0.0' } } }),
  ],
}
