import { answered, fields, get, json, list, post, remove, TEXT, WHOLE, type Group } from '../endpoint.js'

const MILLIS = { ...WHOLE, description: 'ms since the epoch' }
const VIEW = {
  id: TEXT, project: { ...TEXT, description: '* is all, for an admin of every project' }, 'topic?': TEXT, 'type?': TEXT, 'subject?': TEXT, 'connection?': TEXT, sample: { type: 'number' }, values: { type: 'boolean' },
  createdAt: MILLIS, until: MILLIS, by: TEXT,
}
const { ok: _ok, ...properties } = (fields(VIEW) as { properties: Record<string, object> }).properties
const View = { type: 'object', required: Object.keys(VIEW).filter((name) => !name.endsWith('?')), properties }
const SAMPLE = { id: 'watch-42', project: 'default', topic: 'task:42', sample: 1, values: false, createdAt: 1_795_255_450_120, until: 1_795_255_510_120, by: 'boss' }

export const TAPS: Group = {
  title: 'Debug taps',
  access: 'admin; of all projects: an admin of every project',
  endpoints: [
    post('/api/v1/taps', 'Have what concerns a topic, type, subject or connection written to the hub\'s logs, a line a stage, for minutes.', {
      query: { values: { about: 'true: with data, secrets masked and cut; otherwise its shape and sizes only.', schema: { type: 'boolean' } } },
      body: json({
        type: 'object', additionalProperties: false,
        properties: {
          id: TEXT, topic: { ...TEXT, description: 'A topic or pattern; * is all but mail.' }, type: { ...TEXT, description: 'A type or pattern.' }, subject: { ...TEXT, description: 'Whose events, and whose messages.' },
          connection: { ...TEXT, description: 'Whose messages; goes with no topic or type.' }, sample: { type: 'number', exclusiveMinimum: 0, maximum: 1, description: 'Share of the events, the same ones at each stage.' },
          seconds: { ...WHOLE, minimum: 1, maximum: 3600, description: '300 unless given.' }, project: { ...TEXT, description: 'For an admin of every project: only this one.' },
        },
      }),
      answers: { 201: answered('On in this process at once, in the others within HUBBUB_TAP_POLL_MS.', fields(VIEW), { Location: 'Its address.' }) },
      failures: ['INVALID_MESSAGE', 'INVALID_TOPIC', 'WRONG_PROJECT', 'BUSINESS_LOGIC_ERROR', 'PAYLOAD_TOO_LARGE', 'INSUFFICIENT_PERMISSIONS'],
      example: { body: { id: 'watch-42', topic: 'task:42', seconds: 60 }, status: 201, answer: { ok: true, ...SAMPLE } },
    }),
    get('/api/v1/taps', 'Those that are on.', { answers: { 200: answered('The first to end first.', fields({ taps: list(View) })) }, failures: ['INSUFFICIENT_PERMISSIONS'], example: { answer: { ok: true, taps: [SAMPLE] } } }),
    remove('/api/v1/taps/:id', 'Switch one off.', { answers: { 200: answered('It is off.', fields({ id: TEXT })) }, failures: ['NOT_FOUND', 'INSUFFICIENT_PERMISSIONS'], example: { path: { id: 'watch-42' }, answer: { ok: true, id: 'watch-42' } } }),
  ],
}
