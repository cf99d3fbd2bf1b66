import type { FailureCode } from '@hubbub/protocol'
import { normalise } from '@hubbub/protocol/catalogue'
import { failureOf, LIMITS } from './limits.js'

const good = { type: 'task.progress', data: { taskId: 't-1', progress: 5 } }
const json = (text: string): unknown => JSON.parse(text)
const nested = (levels: number): unknown => json('{"a":'.repeat(levels) + '1' + '}'.repeat(levels))
const custom = (data: unknown) => ({ type: 'custom.x', data })

class Task {
  taskId = 't'
  progress = 5
}

const refused: Record<string, [FailureCode, unknown[]]> = {
  'no object': ['INVALID_MESSAGE', [undefined, null, 'task.progress', 7, [good], new Map(), Buffer.from('{}'), new Date()]],
  'no type': ['INVALID_MESSAGE', [{}, { data: {} }, { type: 5, data: {} }, { type: null, data: {} }, { type: ['task.progress'] }, { command: 'ping', payload: {} }]],
  'a bad id': ['INVALID_MESSAGE', ['', 'x'.repeat(129), 5, null, 'a\nb', { id: 'x' }].map((id) => ({ ...good, id }))],
  'a bad timestamp': ['INVALID_MESSAGE', [-1, 0, NaN, 1e18, '', 'yesterday', '2025-13-01T00:00:00Z', '2025-11-21', {}, null].map((timestamp) => ({ ...good, timestamp }))],
  'a bad project': ['INVALID_MESSAGE', ['', 'a b', '../x', 5, null, 'x'.repeat(65)].map((project) => ({ ...good, project }))],
  'bad metadata': ['INVALID_MESSAGE', [
    null, 'x', [], { version: 1 }, { subject: '' }, { correlationId: 'x'.repeat(257) }, { traceparent: 'abc' }, { tracestate: 'x'.repeat(513) },
    { traceparent: '00-00000000000000000000000000000000-b7ad6b7169203331-01' }, { runId: 'a b' }, { runId: 5 }, { threadId: '' },
  ].map((metadata) => ({ ...good, metadata }))],
  'bad topics': ['INVALID_MESSAGE', ['task:t', {}, null, 5, Array.from({ length: 17 }, (_, n) => `task:${n}`)].map((topics) => ({ ...good, topics }))],
  'a bad topic': ['INVALID_TOPIC', ['', 'task', 'task:', 'task:*', '*', 'planet:mars', 'task:a b', 'task:a\u0000', 5, null, 'TASK:1'].map((topic) => ({ ...good, topics: [topic] }))],
  'an unknown type': ['UNKNOWN_TYPE', [
    '', 'task', 'task.unheard_of', 'Task.progress', 'custom.', 'custom.Big', 'custom.a b', 'pipeline.', 'pipeline:Stage', '__proto__', 'constructor', 'x'.repeat(1000),
    'agui.nothing', 'custom.__proto__',
  ].map((type) => ({ type, data: {} }))],
  'a type that is not the producer\'s to say': ['UNKNOWN_TYPE', [
    'connection.opened', 'websocket:connected', 'connect', 'task.delegate', 'task:delegate', 'hub.error', 'hub.cursor', 'error', 'ping', 'auth.succeeded',
    'subscription.updated', 'command.started', 'subscribe', 'start_task', 'agent:register', 'task:completion_failed',
  ].map((type) => ({ type, data: { connectionId: 'c', taskId: 't', agentId: 'a', command: 'x', by: 'y' } }))],
  'data that does not fit': ['VALIDATION_ERROR', [
    {}, { taskId: 't-1' }, { progress: 5 }, { taskId: 5, progress: 5 }, { taskId: 't-1', progress: '5' }, { taskId: 't-1', progress: 101 }, { taskId: 't-1', progress: -1 },
    { taskId: 'a b', progress: 1 }, { taskId: '', progress: 1 }, { taskId: 'x'.repeat(129), progress: 1 }, { taskId: 't*', progress: 1 },
    { taskId: 't-1', progress: 5, confidence: 1.5 }, { taskId: 't-1', progress: 5, updatedAt: 'now' }, { taskId: 't-1', progress: 5, stage: 1.5 },
    { taskId: 't-1', progress: null }, null, [], 'text', 5,
  ].map((data) => ({ type: 'task.progress', data }))],
  'data of other types that does not fit': ['VALIDATION_ERROR', [
    { type: 'agent_status', data: { agentId: 'a', status: 'asleep' } },
    { type: 'agent.handoff', data: { fromAgent: 'a', toAgent: 'b', taskId: 't', handoffContext: 'x'.repeat(51) } },
    { type: 'agent.metric', data: { agentId: 'a', metrics: { cpu: 'much' } } },
    { type: 'tdd.phase_changed', data: { taskId: 't', currentPhase: 'blue' } },
    { type: 'progress_update', data: { task_id: 't', progress: 75 } },
    { type: 'pipeline.stage_started', data: { stage: 1 } },
    { type: 'system.notification', data: { level: 'loud', message: 'x' } },
    { type: 'checkpoint.created', data: { checkpointId: 'c', expiresAt: 5 } },
    { type: 'task.started' },
  ]],
  'an AG-UI event that is none': ['VALIDATION_ERROR', [
    { type: 'agui.text_message_content', data: { type: 'TEXT_MESSAGE_START', messageId: 'm' } },
    { type: 'agui.text_message_content', data: { type: 'TEXT_MESSAGE_CONTENT', messageId: 'm' } },
    { type: 'agui.text_message_start', data: { type: 'TEXT_MESSAGE_START', messageId: 'm', name: null } },
    { type: 'agui.state_delta', data: { type: 'STATE_DELTA', delta: [{ op: 'grow', path: '/a' }] } },
    { type: 'agui.state_delta', data: { type: 'STATE_DELTA', delta: [{ op: 'remove', path: 'a' }] } },
    { type: 'agui.run_started', data: { type: 'RUN_STARTED', threadId: 't', runId: 'with space' } },
    { type: 'agui.custom', data: { type: 'CUSTOM', name: 'x', value: 1, rawEvent: null } },
    { type: 'agui.messages_snapshot', data: { type: 'MESSAGES_SNAPSHOT', messages: [{ id: 'm', role: 'robot', content: '' }] } },
    { type: 'message.delta', data: { delta: 'of nothing' } },
  ]],
  'a forbidden key': ['VALIDATION_ERROR', [
    json('{"type":"custom.x","data":{"__proto__":{"admin":true}}}'),
    json('{"type":"custom.x","data":[{"a":{"constructor":1}}]}'),
    json('{"type":"custom.x","data":{"a":{"prototype":1}}}'),
    json('{"type":"custom.x","data":1,"__proto__":{"type":"y"}}'),
    json('{"type":"custom.x","data":1,"metadata":{"constructor":{}}}'),
    json('{"type":"pipeline:x","data":{"pipeline_id":"p","payload":{"__proto__":{"a":1}}}}'),
    json('{"type":"task.progress","data":{"task_id":"t","progress":1,"__proto__":null}}'),
    json('{"type":"agui.raw","data":{"type":"RAW","event":{"__proto__":{}}}}'),
  ]],
  'nesting too deep': ['VALIDATION_ERROR', [custom(nested(33)), custom([nested(32)]), custom(nested(5000)), { type: 'task.result', data: { taskId: 't', result: nested(32) } },
    { type: 'agui.raw', data: { type: 'RAW', event: nested(40) } }]],
  'a value that JSON cannot hold': ['VALIDATION_ERROR', [
    NaN, Infinity, 1n, () => 1, Symbol('x'), Buffer.from('x'), new Uint8Array(3), new ArrayBuffer(3), new Date(), new Task(), new Map(), [undefined], { a: [, 1] }, // oxlint-disable-line no-sparse-arrays
  ].map(custom)],
  'too many bytes': ['PAYLOAD_TOO_LARGE', [
    custom('x'.repeat(65_535)), custom('漢'.repeat(21_846)), custom({ ['k'.repeat(70_000)]: 1 }), custom(Array.from({ length: 40_000 }, () => 1)), custom('\u0001'.repeat(11_000)),
    { type: 'agui.state_snapshot', data: { type: 'STATE_SNAPSHOT', snapshot: 'x'.repeat(1_048_576) } },
    { type: 'task.progress', data: { taskId: 't', progress: 1, message: 'x'.repeat(66_000) } },
  ]],
}

describe.each(Object.entries(refused))('%s', (_, [code, inputs]) => {
  it.each(inputs.map((input, index) => [index, input] as const))(`is refused with ${code} (%i)`, (_index, input) => {
    const failure = failureOf(() => normalise(input, LIMITS))
    expect(failure.code).toBe(code)
    expect(failure.message.length).toBeLessThan(400)
    expect(JSON.stringify(failure.details ?? {}).length).toBeLessThan(2000)
  })
})

describe('a refusal', () => {
  it('says where and what, and what else', () => {
    expect(failureOf(() => normalise({ type: 'agent.status_changed', data: { status: 'x', currentTask: { id: 'a b' } } }, LIMITS)).details).toEqual({
      path: 'data.agentId', problem: 'is required', others: [
        { path: 'data.status', problem: 'must be one of registered, idle, busy, error, stalled, stale, offline' },
        { path: 'data.currentTask.id', problem: expect.stringContaining('must match pattern') },
      ],
    })
  })

  it('shows nothing of the value', () => {
    expect(JSON.stringify(failureOf(() => normalise({ type: 'task.progress', data: { taskId: 't', progress: 'hunter2' } }, LIMITS)))).not.toContain('hunter2')
  })

  it('costs no more than the limit for a value without end', () => {
    const endless: Record<string, unknown> = {}
    endless['self'] = endless
    expect(failureOf(() => normalise(custom(endless), LIMITS)).code).toBe('VALIDATION_ERROR')
    let wide: unknown = 'x'
    for (let level = 0; level < 30; level++) wide = [wide, wide, wide, wide]
    expect(failureOf(() => normalise(custom(wide), LIMITS)).code).toBe('PAYLOAD_TOO_LARGE')
  })
})
