import { normalise } from '@hubbub/protocol/catalogue'
import { LIMITS } from './limits.js'

const take = (input: unknown) => normalise(input, LIMITS)

describe('a producer\'s event', () => {
  it('comes out as it went in when it is canonical', () => {
    const input = {
      id: 'e-1', type: 'task.progress', timestamp: 1_763_700_000_000, project: 'default', topics: ['run:r-1'],
      data: { taskId: 't-1', progress: 65, updatedAt: '2026-11-21T04:25:00Z' },
      metadata: { version: '1.0', correlationId: 'c-1', traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' },
    }
    expect(take(input)).toEqual(input)
  })

  it('is not copied when nothing changes, and never altered', () => {
    const data = Object.freeze({ taskId: 't-1', progress: 1 })
    expect(take(Object.freeze({ type: 'task.progress', data })).data).toBe(data)
    const older = Object.freeze({ task_id: 't-1', progress: 1 })
    expect(take({ type: 'task.progress', data: older }).data).toEqual({ taskId: 't-1', progress: 1 })
    expect(older).toEqual({ task_id: 't-1', progress: 1 })
  })

  it('keeps fields that no schema knows', () => {
    const data = { taskId: 't-1', progress: 1, mood: { is: ['fine'] } }
    expect(take({ type: 'task.progress', data }).data).toEqual(data)
  })

  it('may come as event_type, payload and event_id', () => {
    expect(take({ event_type: 'task:failed', payload: { task_id: 't-1', error: 'boom' }, event_id: 'e-1' }))
      .toEqual({ id: 'e-1', type: 'task.failed', data: { taskId: 't-1', error: 'boom' }, topics: [], metadata: {} })
  })

  it('loses nothing when a field is there in both spellings', () => {
    expect(take({ type: 'task.paused', data: { task_id: 'old', taskId: 'new' } }).data).toEqual({ task_id: 'old', taskId: 'new' })
  })

  it('changes spellings at the top level only', () => {
    expect(take({ type: 'task.result', data: { task_id: 't-1', result: { exit_code: 0 } } }).data).toEqual({ taskId: 't-1', result: { exit_code: 0 } })
    expect(take({ type: 'custom.build', data: { task_id: 't-1' } }).data).toEqual({ task_id: 't-1' })
  })

  it.each([
    [1_763_700_000_000, 1_763_700_000_000],
    [1_763_700_000_000.4, 1_763_700_000_000],
    [1_763_700_000.123, 1_763_700_000_123],
    ['2025-11-21T04:40:00Z', 1_763_700_000_000],
    ['2025-11-21T04:40:00.000+00:00', 1_763_700_000_000],
    ['2025-11-21T05:40:00+0100', 1_763_700_000_000],
    ['2025-11-21T04:40:00.000000', 1_763_700_000_000],
    ['2025-11-21 04:40', 1_763_700_000_000],
  ])('reads the timestamp %s', (timestamp, millis) => {
    expect(take({ type: 'custom.x', data: null, timestamp }).timestamp).toBe(millis)
  })

  it('gets its naive and shifted times in UTC', () => {
    const data = { taskId: 't', startedAt: '2025-11-21T04:40:00.123456' }
    expect(take({ type: 'task.started', data }).data).toEqual({ taskId: 't', startedAt: '2025-11-21T04:40:00.123Z' })
    expect(take({ type: 'task.started', data: { ...data, startedAt: '2025-11-21T05:40:00+01:00' } }).data).toEqual({ taskId: 't', startedAt: '2025-11-21T04:40:00.000Z' })
  })

  it('goes to the run and thread that its metadata name', () => {
    const event = take({ type: 'custom.x', data: 1, topics: ['task:t', 'task:t'], metadata: { runId: 'r', threadId: 'th', source: '/forged', nonsense: {} } })
    expect(event.topics).toEqual(['task:t', 'run:r', 'thread:th'])
    expect(event.metadata).toEqual({})
  })

  it.each([null, 0, false, '', 'text', [1, null], {}])('may be a custom event with the data %j', (data) => {
    expect(take({ type: 'custom.any_thing.at_all', data }).data).toEqual(data)
  })

  it('loses fields that are undefined, as in JSON', () => {
    expect(take({ type: 'task.paused', data: { taskId: 't', pausedAt: undefined, more: [{ a: undefined }] } }).data).toEqual({ taskId: 't', more: [{}] })
  })

  it('counts bytes as JSON in UTF-8 does', () => {
    const data = { text: 'plain "quoted" \\ \n \u0001 é 漢 😀 \ud800', list: [1.5, -0, 1e21, true, null, []], '\t': {} }
    const bytes = Buffer.byteLength(JSON.stringify(data))
    expect(() => normalise({ type: 'custom.x', data }, { ...LIMITS, maxEventBytes: bytes })).not.toThrow()
    expect(() => normalise({ type: 'custom.x', data }, { ...LIMITS, maxEventBytes: bytes - 1 })).toThrow('larger than')
  })

  it('may be larger when it is an AG-UI snapshot', () => {
    const snapshot = 'x'.repeat(100_000)
    expect(take({ type: 'agui.state_snapshot', data: { type: 'STATE_SNAPSHOT', snapshot } }).type).toBe('agui.state_snapshot')
  })

  it('may say what only the hub knows when the hub says it', () => {
    expect(normalise({ type: 'connection.opened', data: { connectionId: 'c-1' } }, LIMITS, 'hub').type).toBe('connection.opened')
    expect(normalise({ type: 'task:delegate', data: { task_id: 't', agent_id: 'a' } }, LIMITS, 'hub').data).toEqual({ taskId: 't', agentId: 'a' })
  })
})

describe('an older form', () => {
  it('is a ratio only as progress_update', () => {
    expect(take({ type: 'progress_update', data: { task_id: 't', progress: 0.75, confidence: 0.85 } }))
      .toMatchObject({ type: 'task.progress', data: { taskId: 't', progress: 75, confidence: 0.85 } })
    expect(take({ type: 'progress_update', data: { task_id: 't', progress: 0.29 } }).data).toMatchObject({ progress: 29 })
    expect(take({ type: 'task:progress', data: { task_id: 't', progress: 0.75 } }).data).toMatchObject({ progress: 0.75 })
  })

  it('is flattened when pipeline:<name> nests its payload', () => {
    const data = { event_type: 'stage_started', pipeline_id: 'p', stage: 2, timestamp: '2025-11-21T04:40:00', payload: { stage: 9, runner: { kind: 'gpu' } } }
    expect(take({ type: 'pipeline:stage_started', payload: data })).toMatchObject({
      type: 'pipeline.stage_started', data: { pipelineId: 'p', stage: 2, eventType: 'stage_started', runner: { kind: 'gpu' } },
    })
  })

  it('names a pipeline when it names a workflow', () => {
    expect(take({ type: 'workflow_started', data: { workflowId: 'w' } })).toMatchObject({ type: 'pipeline.started', data: { pipelineId: 'w' } })
  })

  it.each([
    ['message.delta', { message_id: 'm', content: 'Hel', task_id: 't' }, { type: 'TEXT_MESSAGE_CONTENT', messageId: 'm', delta: 'Hel' }],
    ['message.delta', { task_id: 't', delta: 'lo' }, { type: 'TEXT_MESSAGE_CONTENT', messageId: 't', delta: 'lo' }],
    ['tool_call.start', { task_id: 't', tool_name: 'grep', args: { a_b: 1 } }, { type: 'TOOL_CALL_START', toolCallId: 't:grep', toolCallName: 'grep', args: { a_b: 1 } }],
    ['tool_call.end', { task_id: 't', tool_name: 'grep', result: { ok: true } }, { type: 'TOOL_CALL_END', toolCallId: 't:grep', result: { ok: true } }],
    ['state.patch', { task_id: 't', patch: [{ op: 'add', path: '/a', value: 1 }] }, { type: 'STATE_DELTA', delta: [{ op: 'add', path: '/a', value: 1 }] }],
  ])('is one AG-UI event as %s', (type, data, expected) => {
    const event = take({ type, data })
    expect(event.type).toBe(`agui.${expected.type.toLowerCase()}`)
    expect(event.data).toMatchObject(expected)
    expect(event.topics).toEqual(['task:t'])
  })

  it('is a stream\'s event under its bare name beside a stream\'s topic', () => {
    const payload = { topic: 'stream:S', eventType: 'progress', data: { streamId: 'S', progressPercentage: 25 } }
    expect(take({ type: 'event', payload })).toMatchObject({ type: 'stream.progress', topics: ['stream:S'] })
  })
})
