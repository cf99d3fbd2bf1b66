/** AG-UI events go through the hub as they are: by canonical type, and as they come out of an agent. */
import { EventType } from '@ag-ui/core'
import { EventSchema } from '@ag-ui/core/schemas'
import type { HubEvent } from '@hubbub/protocol'
import type { RunningHub } from '../../server/src/hub.js'
import { ask } from '../harness/ask.js'
import { token } from '../harness/token.js'
import type { Said } from './aguiClient.js'
import { hub } from './agentHub.js'

const base = { timestamp: 1_763_700_000_000, rawEvent: { any: [null, 0, ''] }, metadata: { 'ag-ui': { x: null } } }
const sub = { ...base, subagentRunId: 's1' }
const run = { ...base, threadId: 't', runId: 'r' }
const patch = [{ op: 'add', path: '/a/~0b', value: null }, { op: 'remove', path: '' }, { op: 'move', from: '/a', path: '/b' }, { op: 'test', path: '/a', value: {} }]
const messages = [
  { id: '1', role: 'user', content: [{ type: 'text', text: 'x' }, { type: 'image', source: { type: 'url', value: 'https://x' } }] },
  { id: '2', role: 'assistant', toolCalls: [{ id: 'c', type: 'function', function: { name: 'f', arguments: '{"a' } }] },
  { id: '3', role: 'tool', content: '', toolCallId: 'c' }, { id: '4', role: 'reasoning', content: 'x' }, { id: '5', role: 'activity', activityType: 'A', content: { n: null } },
]
const text = { messageId: 'm' }
const call = { toolCallId: 'c' }

const EXAMPLES: Record<`${EventType}`, object> = {
  TEXT_MESSAGE_START: { ...sub, ...text, role: 'assistant', name: 'n' }, TEXT_MESSAGE_CONTENT: { ...sub, ...text, delta: '\n"ü\u2028\u0000' }, TEXT_MESSAGE_END: { ...sub, ...text },
  TEXT_MESSAGE_CHUNK: { ...sub, ...text, role: 'user', delta: '' }, TOOL_CALL_START: { ...sub, ...call, toolCallName: 'f', parentMessageId: 'm' },
  TOOL_CALL_ARGS: { ...sub, ...call, delta: '{"a' }, TOOL_CALL_END: { ...sub, ...call }, TOOL_CALL_CHUNK: { ...sub, ...call, toolCallName: 'f', delta: 'x' },
  TOOL_CALL_RESULT: { ...sub, ...text, ...call, content: [{ type: 'text', text: 'x' }], role: 'tool' }, STATE_SNAPSHOT: { ...sub, snapshot: null }, STATE_DELTA: { ...sub, delta: patch },
  MESSAGES_SNAPSHOT: { ...base, messages }, ACTIVITY_SNAPSHOT: { ...sub, ...text, activityType: 'A', content: { n: null }, replace: false },
  ACTIVITY_DELTA: { ...sub, ...text, activityType: 'A', patch }, RAW: { ...sub, event: null, source: 's' }, CUSTOM: { ...sub, name: 'n', value: 0 },
  RUN_STARTED: { ...run, parentRunId: 'p', input: { threadId: 't', runId: 'r', state: null, messages, tools: [{ name: 'f', description: 'd', parameters: {} }], context: [], forwardedProps: 0 } },
  RUN_FINISHED: { ...run, result: 0, outcome: { type: 'interrupt', interrupts: [{ id: 'i', reason: 'r' }] } }, RUN_ERROR: { ...base, message: 'm', code: 'c' },
  STEP_STARTED: { ...sub, stepName: 's' }, STEP_FINISHED: { ...sub, stepName: 's' }, REASONING_START: { ...sub, ...text }, REASONING_MESSAGE_START: { ...sub, ...text, role: 'reasoning' },
  REASONING_MESSAGE_CONTENT: { ...sub, ...text, delta: 'x' }, REASONING_MESSAGE_END: { ...sub, ...text }, REASONING_MESSAGE_CHUNK: { ...sub, ...text, delta: 'x' }, REASONING_END: { ...sub, ...text },
  REASONING_ENCRYPTED_VALUE: { ...sub, subtype: 'message', entityId: 'm', encryptedValue: 'e' },
  SUBAGENT_STARTED: { ...sub, name: 'n', parentToolCallId: 'c' }, SUBAGENT_FINISHED: { ...sub, result: [], outcome: { type: 'success' } }, SUBAGENT_ERROR: { ...sub, message: 'm' },
}
// A required nothing of an optional field is no AG-UI: null results and messages without content are left out by producers.
delete (EXAMPLES.SUBAGENT_FINISHED as { result?: null }).result

const EVENTS: Said[] = Object.entries(EXAMPLES).map(([type, fields]) => ({ type, ...fields }))

async function kept(running: RunningHub, runId: string): Promise<HubEvent[]> {
  const { body } = await ask(`${running.url}/api/v1/history?topics=run:${runId}&since=all&limit=1000`, { as: token() })
  return (body['events'] as { event: HubEvent }[]).map(({ event }) => event)
}

describe('AG-UI events', () => {
  test('are all of the package\'s, and each is what its schema takes', () => {
    expect(Object.keys(EXAMPLES).sort()).toEqual(Object.values(EventType).map(String).sort())
    for (const event of EVENTS) expect([event.type, EventSchema.safeParse(event).error]).toEqual([event.type, undefined])
  })

  test('come back as they were published, by canonical type or as they are', async () => {
    const running = await hub()
    const canonical = EVENTS.map((data, place) => ({ id: `c-${place}`, type: `agui.${data.type.toLowerCase()}`, data, topics: ['run:r'] }))
    const first = await ask(`${running.url}/api/v1/events`, { as: token(), json: canonical })
    const second = await ask(`${running.url}/api/v1/runs/r/events?threadId=t`, { as: token(), json: EVENTS, headers: { 'idempotency-key': 'k' } })
    for (const { body } of [first, second]) expect((body['results'] as { ok: boolean }[]).filter(({ ok }) => !ok)).toEqual([])
    const events = await kept(running, 'r')
    expect(events.map(({ data }) => data)).toEqual([...EVENTS, ...EVENTS])
    expect(events.slice(EVENTS.length).every(({ topics }) => topics.includes('run:r') && topics.includes('thread:t'))).toBe(true)
  })

  test('stand in the journal once, however often they are sent with the same key', async () => {
    const running = await hub()
    const send = () => ask(`${running.url}/api/v1/runs/r/events`, { as: token(), json: EVENTS.slice(0, 3), headers: { 'idempotency-key': 'k' } })
    await send()
    expect(((await send()).body['results'] as { duplicate?: boolean }[]).map(({ duplicate }) => duplicate)).toEqual([true, true, true])
    expect((await kept(running, 'r')).map(({ id }) => id)).toEqual(['k-0', 'k-1', 'k-2'])
  })

  test('are refused one by one', async () => {
    const running = await hub()
    const post = (json: unknown, path = 'runs/r/events', as = token()) => ask(`${running.url}/api/v1/${path}`, { as, json })
    const { body } = await post([{ type: 'TEXT_MESSAGE_END', messageId: 'm' }, { type: 'TEXT_MESSAGE_END' }, { type: 'NONSENSE' }, 7])
    expect((body['results'] as { ok: boolean; error?: { code: string } }[]).map(({ error }) => error?.code)).toEqual([undefined, 'VALIDATION_ERROR', 'UNKNOWN_TYPE', 'UNKNOWN_TYPE'])
    expect([(await post({ type: 'TEXT_MESSAGE_END', messageId: 'm' })).status, (await post({ type: 'RUN_ERROR' })).status]).toEqual([201, 422])
    expect((await post([])).body.error?.code).toBe('INVALID_MESSAGE')
    expect((await post({ type: 'RUN_ERROR', message: 'm' }, 'runs/a%20b/events')).body.error?.code).toBe('INVALID_TOPIC')
    expect((await post({ type: 'RUN_ERROR', message: 'm' }, 'runs/r/events', token({ sub: 'page', role: 'viewer' }))).status).toBe(403)
  })
})
