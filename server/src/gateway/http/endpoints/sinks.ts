import { answered, fields, get, json, list, post, remove, TEXT, WHOLE, type Group } from '../endpoint.js'

const FORMATS = { enum: ['hubbub', 'cloudevents', 'slack', 'discord'] }
const FILTER = { type: 'object', description: 'As of a subscription.' }
const MILLIS = { ...WHOLE, description: 'ms since the epoch' }
const VIEW = {
  id: TEXT, url: { ...TEXT, description: 'Without its query; of chat formats without its path.' }, topics: list(TEXT), 'types?': list(TEXT), 'filter?': FILTER, format: FORMATS,
  'template?': TEXT, headers: { ...list(TEXT), description: 'Names only.' }, hasSecret: { const: true }, createdAt: MILLIS, reader: { ...TEXT, description: 'As whom it reads.' },
  status: { enum: ['active', 'failing', 'paused'] }, 'reason?': TEXT, cursor: TEXT, deliveries: WHOLE, 'deliveredAt?': MILLIS, attempts: { ...WHOLE, description: 'On the event behind the cursor.' },
  'lastError?': { type: 'object', properties: { message: TEXT, at: MILLIS, since: MILLIS, event: TEXT } },
  'gap?': { type: 'object', description: 'The last one that the receiver was told of; of a new sink, what `since` asked for and can no longer be had.' }, 'worker?': TEXT,
}
const { ok: _ok, ...properties } = (fields(VIEW) as { properties: Record<string, object> }).properties
const View = { type: 'object', required: Object.keys(VIEW).filter((name) => !name.endsWith('?')), properties }
const OF_ONE = ['NOT_FOUND', 'INSUFFICIENT_PERMISSIONS'] as const

export const SINKS: Group = {
  title: 'Outgoing webhooks',
  access: 'services and admins; subscribe:TOPIC of all its topics',
  endpoints: [
    post('/api/v1/sinks', 'Have each event of the topics POSTed to a URL, signed, in order, until it is taken.', {
      body: json({
        type: 'object', required: ['url', 'topics'], additionalProperties: false,
        properties: {
          id: TEXT, url: TEXT, topics: list(TEXT), types: list(TEXT), filter: FILTER, format: FORMATS, template: { ...TEXT, description: 'slack and discord: {{data.title}}' },
          secret: { ...TEXT, description: 'whsec_ and the base64 of 24 to 64 bytes' }, since: { description: 'As of a subscription; absent: from now on.' }, headers: { type: 'object', additionalProperties: TEXT, maxProperties: 10 },
        },
      }),
      answers: { 201: answered('The secret is shown once.', fields({ ...VIEW, secret: TEXT }), { Location: 'Its address.' }) },
      failures: ['INVALID_MESSAGE', 'INVALID_TOPIC', 'INVALID_CURSOR', 'PAYLOAD_TOO_LARGE', 'SUBSCRIPTION_LIMIT', 'BUSINESS_LOGIC_ERROR', 'INSUFFICIENT_PERMISSIONS'],
    }),
    get('/api/v1/sinks', 'Those of the project whose topics the caller may read.', {
      answers: { 200: answered('By id.', fields({ sinks: list(View) })) }, failures: ['INSUFFICIENT_PERMISSIONS'],
    }),
    get('/api/v1/sinks/:id', 'One of them, with its lag.', {
      answers: { 200: answered('`lag`: events behind the cursor, and the age of the oldest, ms.', fields({ ...VIEW, lag: { type: 'object', properties: { events: WHOLE, more: { type: 'boolean' }, ms: WHOLE } } })) },
      failures: OF_ONE,
    }),
    post('/api/v1/sinks/:id/pause', 'Deliver nothing for now.', {
      answers: { 200: answered('A request under way is finished.', fields(VIEW)) }, failures: OF_ONE,
    }),
    post('/api/v1/sinks/:id/resume', 'Go on from where it stood; it reads as the caller from now on.', {
      answers: { 200: answered('What the journal no longer has is told as a gap.', fields(VIEW)) }, failures: ['INVALID_MESSAGE', ...OF_ONE],
    }),
    remove('/api/v1/sinks/:id', 'Remove one.', { answers: { 200: answered('It is gone.', fields({ id: TEXT })) }, failures: OF_ONE }),
  ],
}
