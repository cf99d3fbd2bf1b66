/** Tasks and their types as they are ordered and exported; and the polled forms. */
import { REQUEST_SHAPES } from '@hubbub/protocol/catalogue'
import { answered, fields, get, json, JSON_TYPE, list, okWith, post, put, remove, TEXT, WHOLE, type Answered, type Details, type Group } from '../endpoint.js'
import { SAMPLES, TASK } from './samples.js'
import { listQuery } from './state.js'

const ORDER = { type: 'test', title: 'Run the tests', parameters: { path: 'test/' }, requires: ['test'], pipelineId: 'P-1', deadline: '2030-01-01T00:00:00.000Z' }
const ordered = (id: string) => ({
  kind: 'task', id, revision: TASK.revision, createdAt: TASK.createdAt, updatedAt: TASK.createdAt, status: 'pending', managed: true, title: ORDER.title, taskType: ORDER.type, requires: ORDER.requires, attempt: 0, tries: [],
})
const WAITING = ['STORE_FULL', 'OUTCOME_UNKNOWN'] as const
const FILES: Readonly<Record<number, Answered>> = { 200: { about: 'JSON, or CSV by RFC 4180, as an attachment.', content: { [JSON_TYPE]: {}, 'text/csv': TEXT }, headers: { 'Content-Disposition': 'The file\'s name.' } } }

const CANCEL: Details = {
  access: 'command:execution.cancel',
  body: json({ type: 'object', properties: { reason: { type: 'string', maxLength: 500 }, timeoutMs: { ...WHOLE, minimum: 100, maximum: 600_000 } } }, true),
  answers: { 200: answered('It is finished.', okWith('Task')) },
  failures: ['INVALID_MESSAGE', 'TASK_NOT_FOUND', 'BUSINESS_LOGIC_ERROR', 'TIMEOUT', 'INSUFFICIENT_PERMISSIONS', ...WAITING],
  example: { path: { id: 'T-3' }, body: { reason: 'no longer wanted' }, answer: { ok: true, ...ordered('T-3'), status: 'cancelled' } },
}

export const TASKS: Group = {
  title: 'Tasks',
  access: 'publish:task.created, publish:task.updated; command:execution.cancel to cancel and delete; task types: services and admins',
  endpoints: [
    post('/api/v1/tasks', 'Create a task: { type, id?, title?, parameters?, ... }.', {
      access: 'publish:task.created',
      body: json(REQUEST_SHAPES['task.order']),
      answers: { 201: answered('It exists, and is delegated. Asked again with the very same order and id: as it stands.', okWith('Task'), { Location: 'Its address.' }) },
      failures: ['INVALID_MESSAGE', 'VALIDATION_ERROR', 'PAYLOAD_TOO_LARGE', 'TASK_EXISTS', 'INSUFFICIENT_PERMISSIONS', ...WAITING],
      example: { body: { id: 'T-9', ...ORDER }, status: 201, answer: { ok: true, ...ordered('T-9'), pipelineId: 'P-1' } },
    }),
    put('/api/v1/tasks/:id', 'Change title, parameters, deadline, priority or requires.', {
      access: 'publish:task.updated',
      body: json(REQUEST_SHAPES['task.changes']),
      answers: { 200: answered('As it is now.', okWith('Task')) },
      failures: ['INVALID_MESSAGE', 'VALIDATION_ERROR', 'PAYLOAD_TOO_LARGE', 'TASK_NOT_FOUND', 'NOT_TASK_OWNER', 'BUSINESS_LOGIC_ERROR', 'INSUFFICIENT_PERMISSIONS', ...WAITING],
      example: { path: { id: 'T-2' }, body: { priority: 'high' }, answer: { ok: true, ...ordered('T-2'), priority: 'high' } },
    }),
    remove('/api/v1/tasks/:id', 'Delete a task; its agent is told to stop.', {
      access: 'command:execution.cancel',
      answers: { 200: answered('It is gone.', fields({ id: TEXT })) },
      failures: ['TASK_NOT_FOUND', 'INSUFFICIENT_PERMISSIONS', ...WAITING],
      example: { path: { id: 'T-4' }, answer: { ok: true, id: 'T-4' } },
    }),
    post('/api/v1/tasks/:id/cancel', 'Call it off: { reason?, timeoutMs? }; answered when it is finished.', CANCEL),
    get('/api/v1/tasks/export/:format', 'All tasks as a file, json or csv; filters as in the list.', {
      access: 'subscribe:task:ID', query: listQuery('task'), answers: FILES, failures: ['INVALID_MESSAGE', 'INSUFFICIENT_PERMISSIONS'], example: { path: { format: 'json' }, query: { streamId: 'S-1' }, answer: [TASK] },
    }),
    get('/api/v1/tasks/:id/export/:format', 'One task as a file.', {
      access: 'subscribe:task:ID', answers: FILES, failures: ['INVALID_MESSAGE', 'TASK_NOT_FOUND', 'INSUFFICIENT_PERMISSIONS'], example: { path: { id: 'T-1', format: 'csv' }, answer: 'id,title,type,status,…\r\nT-1,Write the tests,,in_progress,…\r\n' },
    }),
    put('/api/v1/task-types/:type', 'What results of a type must look like: { resultSchema }.', {
      access: 'services and admins',
      body: json({ type: 'object', required: ['resultSchema'], properties: { resultSchema: { type: 'object', description: 'A JSON Schema of at most 16 KB.' } } }),
      answers: { 200: answered('It counts from now on.', okWith('TaskType')) },
      failures: ['INVALID_MESSAGE', 'VALIDATION_ERROR', 'PAYLOAD_TOO_LARGE', 'INSUFFICIENT_PERMISSIONS', ...WAITING],
      example: { path: { type: 'test' }, body: { resultSchema: { type: 'object', required: ['passed'] } }, answer: { ok: true, ...SAMPLES.task_type } },
    }),
    remove('/api/v1/task-types/:type', 'Forget it.', {
      access: 'services and admins',
      answers: { 200: answered('Its results may be anything.', fields({ id: TEXT })) },
      failures: ['NOT_FOUND', 'INSUFFICIENT_PERMISSIONS', ...WAITING],
      example: { path: { type: 'forgotten' }, answer: { ok: true, id: 'forgotten' } },
    }),
  ],
}

const of = (name: string, shape: Readonly<Record<string, unknown>>) => ({ type: 'object', required: [name], properties: { [name]: list(shape), next: TEXT } })
const POLLED = {
  streams: { type: 'object', required: ['streamId', 'streamName', 'status', 'progress', 'tasks'], properties: { streamId: TEXT, streamName: TEXT, status: TEXT, progress: { type: 'number' }, tasks: WHOLE } },
  tasks: { type: 'object', required: ['id', 'title', 'status', 'progress'], properties: { id: TEXT, title: TEXT, status: TEXT, assignedAgent: TEXT, progress: { type: 'number' }, streamId: TEXT, blockedReason: TEXT } },
  checkpoints: { type: 'object', required: ['checkpointId', 'status'], properties: { checkpointId: TEXT, taskId: TEXT, status: TEXT, expiresAt: { type: ['string', 'null'] } } },
}
const POLLED_SAMPLES = {
  streams: { streamId: 'S-1', streamName: 'foundation', status: 'running', progress: 0, tasks: 1 },
  tasks: { id: 'T-1', title: 'Write the tests', status: 'in_progress', assignedAgent: 'coder-1', progress: 40, streamId: 'S-1' },
  checkpoints: { checkpointId: 'C-1', taskId: 'T-1', sequence: 1, trigger: 'manual', status: 'available', expiresAt: null },
}

function polled(path: keyof typeof POLLED, kind: 'stream' | 'task' | 'checkpoint', about: string, id: string, one = 'One of them.') {
  return [
    get(`/api/${path}`, about, {
      query: listQuery(kind), answers: { 200: answered('A page.', of(path, POLLED[path])) }, failures: ['INVALID_MESSAGE', 'INSUFFICIENT_PERMISSIONS'], example: { query: { limit: '1' }, answer: { [path]: [POLLED_SAMPLES[path]] } },
    }),
    get(`/api/${path}/:id`, one, {
      answers: { 200: answered('As it is now.', POLLED[path]) }, failures: [kind === 'task' ? 'TASK_NOT_FOUND' : 'NOT_FOUND', 'INSUFFICIENT_PERMISSIONS'],
      example: { path: { id }, answer: { ...POLLED_SAMPLES[path], ...(kind === 'stream' && { taskList: [POLLED_SAMPLES.tasks] }) } },
    }),
  ]
}

export const POLLING: Group = {
  title: 'Polling',
  access: 'subscribe:TOPIC of what is read',
  endpoints: [
    ...polled('streams', 'stream', 'Streams of work, without an envelope.', 'S-1', 'One of them, with its tasks.'),
    ...polled('tasks', 'task', 'Tasks, without an envelope.', 'T-1'),
    ...polled('checkpoints', 'checkpoint', 'Checkpoints, without an envelope.', 'C-1'),
  ],
}

