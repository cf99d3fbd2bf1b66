/** What the hub knows: snapshots, lists, single entities. */
import type { Kind } from '@hubbub/protocol'
import { named } from '@hubbub/protocol/catalogue'
import { filterNames } from '../../../operations/entity-filters.js'
import { answered, fields, get, list, okWith, TEXT, WHOLE, type Endpoint, type Group, type Parameter } from '../endpoint.js'
import { TOPICS } from './events.js'
import { CURSOR, SAMPLES } from './samples.js'

const AFTER: Readonly<Record<string, Parameter>> = { after: { about: '`next` of the page before.', schema: TEXT } }
const PAGE: Readonly<Record<string, Parameter>> = { ...AFTER, limit: { about: 'Entities of one page; 100 unless given.', schema: { type: 'integer', minimum: 1, maximum: 1000 } } }
export const CURSOR_FIELD = { type: 'object', required: ['cursor'], properties: { cursor: named('Cursor') } }

/** Filters of a kind's list, and the page. */
export function listQuery(kind: Kind): Record<string, Parameter> {
  return { ...Object.fromEntries(filterNames(kind).map((name) => [name, { about: `Only those whose ${name} it is.`, schema: TEXT }])), ...PAGE }
}

/** @param shape name of its schema; @param of plural, for the reader */
function lists(path: string, kind: keyof typeof SAMPLES, shape: string, of: string): Endpoint[] {
  const sample = SAMPLES[kind]
  const filters = filterNames(kind)
  const missing = kind === 'task' ? 'TASK_NOT_FOUND' : 'NOT_FOUND'
  return [
    get(`/api/v1/${path}`, `${of}, newest first; ${['limit', 'after', ...filters].join(', ')}.`, {
      query: listQuery(kind),
      answers: { 200: answered('A page; ask on with `after` = `next` while there is one.', fields({ items: list(named(shape)), cursor: named('Cursor'), 'next?': TEXT })) },
      failures: ['INVALID_MESSAGE', 'INSUFFICIENT_PERMISSIONS'],
      example: { query: { limit: '1', ...(filters.includes('status') && { status: String((sample as { status?: string }).status) }) }, answer: { ok: true, items: [sample], cursor: CURSOR } },
    }),
    get(`/api/v1/${path}/:id`, 'One of them.', {
      answers: { 200: answered('As it is at `cursor`.', okWith(shape, CURSOR_FIELD)) },
      failures: [missing, 'INSUFFICIENT_PERMISSIONS'],
      example: { path: { id: sample.id }, answer: { ok: true, ...sample, cursor: CURSOR } },
    }),
  ]
}

export const STATE: Group = {
  title: 'State',
  access: 'subscribe:TOPIC of what is read',
  endpoints: [
    get('/api/v1/snapshot', 'The state of what topics name, and the cursor at which it holds.', {
      query: { ...TOPICS, ...AFTER, limit: { about: 'Entities of one page; 1,000 unless given.', schema: { ...WHOLE, minimum: 1, maximum: 1000 } } },
      answers: { 200: answered('Events behind `cursor` make of it every later state. Ask on with `after` = `next` while there is one.', okWith('SnapshotResult')) },
      failures: ['INVALID_MESSAGE', 'INVALID_TOPIC', 'INSUFFICIENT_PERMISSIONS'],
      example: { query: { topics: 'pipeline:P-1,agent:*' }, answer: { ok: true, cursor: CURSOR, entities: [SAMPLES.pipeline, SAMPLES.task, SAMPLES.agent] } },
    }),
    ...lists('agents', 'agent', 'Agent', 'Agents'),
    ...lists('tasks', 'task', 'Task', 'Tasks'),
    ...lists('pipelines', 'pipeline', 'Pipeline', 'Pipelines'),
    ...lists('streams', 'stream', 'Stream', 'Streams of work'),
    ...lists('checkpoints', 'checkpoint', 'Checkpoint', 'Checkpoints'),
    ...lists('runs', 'run', 'Run', 'Runs'),
    ...lists('task-types', 'task_type', 'TaskType', 'Types of tasks that have a schema for their results'),
  ],
}
