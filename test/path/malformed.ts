/**
 * What must not get in, by kind: events that every way in takes, and requests. Events are JSON texts, for some of them no
 * object of ours could hold (`__proto__`) and some no stack of ours should walk. Each comes with the code that answers it.
 */
import type { FailureCode } from '@hubbub/protocol'

export type BadText = readonly [code: FailureCode, json: string]

/** One line of a report, however large the input. */
export function brief(text: string | undefined): string {
  return text === undefined ? 'nothing' : text.length > 70 ? `${text.slice(0, 60)}... (${text.length})` : text
}

export function progress(id: string, more: object = {}): string {
  return JSON.stringify({ id, type: 'task.progress', data: { taskId: '1', progress: 40 }, ...more })
}

const withData = (data: string, type = 'task.progress') => `{"type":"${type}","data":${data}}`
const inData = (field: string) => withData(`{"taskId":"1","progress":40,${field}}`)
const nested = (open: string, close: string, levels: number) => `${open.repeat(levels)}1${close.repeat(levels)}`
const event = (more: object) => JSON.stringify({ type: 'task.progress', data: { taskId: '1', progress: 40 }, ...more })

export const NOT_JSON: readonly string[] = [
  'nonsense', '{', '{"type":"task.progress",}', '{\'type\':\'task.progress\'}', '{"type":"task.progress","data":{"taskId":"1","progress":NaN}}',
  '{"type":"task.progress"} {"type":"task.progress"}', '\u0000', '<event/>', 'type=task.progress&taskId=1',
]

const SURROGATE = String.fromCharCode(0xd800)

export const BAD_EVENTS: Readonly<Record<string, readonly BadText[]>> = {
  'of wrong types outside of data': [
    ...['null', '7', '"task.progress"', 'true', '{}', '{"type":7}', '{"type":null}', '{"type":["task.progress"]}', '{"data":{"taskId":"1","progress":40}}'].map((json): BadText => ['INVALID_MESSAGE', json]),
    ...[{ id: 7 }, { id: '' }, { id: 'x'.repeat(129) }, { id: 'a\u0000b' }, { id: SURROGATE }, { timestamp: 'yesterday' }, { timestamp: -1 }, { timestamp: {} }, { timestamp: true }, { project: 7 },
      { project: 'a b' }, { project: '' }, { topics: 'task:1' }, { topics: {} }, { topics: Array.from({ length: 17 }, (_, at) => `task:${at}`) }, { metadata: 7 }, { metadata: [] },
      { metadata: { subject: 7 } }, { metadata: { traceparent: '00-xyz' } }, { metadata: { correlationId: 'a\nb' } }, { metadata: { runId: 'a b' } }]
      .map((more): BadText => ['INVALID_MESSAGE', event(more)]),
  ],
  'of wrong types in data': [
    'null', '[]', '"text"', '7', '{}', '{"taskId":"1"}', '{"taskId":7,"progress":40}', '{"taskId":"","progress":40}', '{"taskId":"a b","progress":40}', '{"taskId":"*","progress":40}', '{"taskId":"\\ud800","progress":40}',
    '{"taskId":"1","progress":"40"}', '{"taskId":"1","progress":101}', '{"taskId":"1","progress":-1}', '{"taskId":"1","progress":null}', '{"taskId":"1","progress":40,"stage":1.5}',
    '{"taskId":"1","progress":40,"updatedAt":"yesterday"}', '{"taskId":"1","progress":40,"message":{}}', '{"taskId":"1","progress":1e999}',
  ].map((data): BadText => ['VALIDATION_ERROR', withData(data)]).concat([
    ['VALIDATION_ERROR', withData('{"agentId":"a","status":"asleep"}', 'agent.status_changed')],
    ['VALIDATION_ERROR', withData('{"prNumbers":["1"]}', 'github.pr_updated')],
    ['VALIDATION_ERROR', withData('{"type":"RUN_STARTED","runId":"r"}', 'agui.run_started')],
    ['VALIDATION_ERROR', withData('{"type":"RUN_FINISHED","runId":"r","threadId":"t"}', 'agui.run_started')],
  ]),
  'of unknown types': ['', ' ', 'task', 'task.', 'task.no_such', 'Task.Progress', 'task.progress ', 'custom.', 'custom.A', 'custom.a b', 'no.such', 'hub.cursor', 'subscribe', 'constructor', '__proto__',
    'toString', '*', 'task.*', 'x'.repeat(100_000), 'connection.opened', 'command.started'].map((type): BadText => ['UNKNOWN_TYPE', JSON.stringify({ type, data: {} })]),
  'too large': [
    inData(`"message":"${'x'.repeat(65_536)}"`), inData(`"message":"${'é'.repeat(33_000)}"`), inData(`"message":"${'\\u0001'.repeat(11_000)}"`),
    inData(`"list":[${'1,'.repeat(40_000)}1]`), inData(Array.from({ length: 9000 }, (_, at) => `"k${at}":1`).join(',')), inData(`"${'k'.repeat(70_000)}":1`),
    withData(`{"type":"STATE_SNAPSHOT","snapshot":"${'x'.repeat(1_048_577)}"}`, 'agui.state_snapshot'), withData(`{"type":"TEXT_MESSAGE_CONTENT","messageId":"m","delta":"${'x'.repeat(66_000)}"}`, 'agui.text_message_content'),
  ].map((json): BadText => ['PAYLOAD_TOO_LARGE', json]),
  'nested too deep': [
    inData(`"x":${nested('[', ']', 32)}`), inData(`"x":${nested('{"a":', '}', 32)}`), inData(`"x":${nested('[{"a":', '}]', 50)}`), inData(`"x":${nested('[', ']', 3000)}`),
    withData(nested('{"a":', '}', 33), 'custom.deep'), withData(nested('[', ']', 2000), 'custom.deep'), withData(`{"type":"STATE_SNAPSHOT","snapshot":${nested('[', ']', 40)}}`, 'agui.state_snapshot'),
  ].map((json): BadText => ['VALIDATION_ERROR', json]),
  'that reach for a prototype': [
    '{"type":"task.progress","data":{"taskId":"1","progress":40},"__proto__":{"polluted":1}}', '{"type":"task.progress","data":{"taskId":"1","progress":40},"constructor":{"prototype":{"polluted":1}}}',
    inData('"__proto__":{"polluted":1}'), inData('"constructor":{"prototype":{"polluted":1}}'), inData('"prototype":1'), inData('"a":{"b":[{"__proto__":{"polluted":1}}]}'),
    withData('{"__proto__":null}', 'custom.proto'), '{"type":"task.progress","data":{"taskId":"1","progress":40},"metadata":{"__proto__":{"source":"/hub/forged"}}}',
  ].map((json): BadText => ['VALIDATION_ERROR', json]),
  'with bad topics': ['', 'task', 'task:', 'task:*', '*', 'task:a b', 'planet:x', 'Task:1', 'system:x', ':1', `task:${'x'.repeat(257)}`, 'task:a\u0000', 'other/task:1', `task:${SURROGATE}`, 7, null, ['task:1'], {}]
    .map((topic): BadText => ['INVALID_TOPIC', event({ topics: ['task:2', topic] })]),
}

/** Names of projects that the producer does not speak for. */
export function ofOtherProjects(names: readonly string[]): BadText[] {
  return names.map((project) => ['WRONG_PROJECT', event({ project })])
}

export const BAD_TOPICS: readonly string[] = ['', 'task', 'task:', '**', 'task*', 'planet:*', 'task:*x', 'task:a b', 'Task:1', 'system*', `task:${'x'.repeat(257)}`, `task:${SURROGATE}`]

/** As `since`. */
export const BAD_CURSORS: readonly unknown[] = ['', 'yesterday', '1763700000000-0', 'x.y', 'e.1', '10', '10x', '-5m', '1e3m', 'e e.1-0', `${'x'.repeat(33)}.1-0`, `e.${'9'.repeat(17)}-0`, 7, true, null, [], {}, { last: 0 }, { last: -1 },
  { last: 1.5 }, { last: '5' }, { last: 1e9 }, 'x'.repeat(100_000)]

const parsed = (jsons: readonly string[]) => jsons.map((json) => JSON.parse(json) as unknown)
const inSignal = (data: unknown) => ({ topic: 'task:1', name: 'go', data })
const letters = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i']

/** By message name and kind, what Socket.IO clients may send besides events. */
export const BAD_MESSAGES: readonly (readonly [name: string, kind: string, code: FailureCode, inputs: readonly unknown[]])[] = [
  ['subscribe', 'of wrong types', 'INVALID_MESSAGE', [
    undefined, null, 'task:1', 7, [], ['task:1'], {}, { topics: 'task:1' }, { topics: [] }, { topics: [7] }, { topics: ['*'], types: 'task.*' }, { topics: ['*'], types: ['Task'] },
    { topics: ['*'], filter: { a: {} } }, { topics: ['*'], filter: [] },
  ]],
  ['subscribe', 'that reach for a prototype', 'INVALID_MESSAGE', parsed([
    '{"topics":["*"],"__proto__":{"polluted":1}}', '{"__proto__":{"topics":["*"]}}', '{"topics":["*"],"filter":{"__proto__":1}}', '{"topics":["*"],"constructor":{}}', '{"topics":["*"],"prototype":{}}',
  ])],
  ['subscribe', 'of bad topics', 'INVALID_TOPIC', BAD_TOPICS.map((topic) => ({ topics: ['task:1', topic] }))],
  ['subscribe', 'from bad cursors', 'INVALID_CURSOR', BAD_CURSORS.map((since) => ({ topics: ['task:1'], since }))],
  ['subscribe', 'over a limit', 'INVALID_MESSAGE', [51, 52, 100, 1000, 5000].map((count) => ({ topics: Array.from({ length: count }, (_, at) => `task:${at}`) }))],
  ['subscribe', 'with too many types or filters', 'INVALID_MESSAGE', [
    { types: Array.from({ length: 65 }, () => 'task.*') }, { types: [] }, { filter: Object.fromEntries(letters.map((key) => [key, 1])) }, { filter: { a: 'x'.repeat(257) } }, { filter: { ['a'.repeat(65)]: 1 } },
  ].map((more) => ({ topics: ['*'], ...more }))],
  ['unsubscribe', 'of wrong types', 'INVALID_MESSAGE', [7, 'all', [], { subscriptionId: 7 }, { subscriptionId: '' }, { topics: 'task:1' }, { topics: [] }]],
  ['unsubscribe', 'of bad topics', 'INVALID_TOPIC', BAD_TOPICS.map((topic) => ({ topics: [topic] }))],
  ['unsubscribe', 'of what is not there', 'NOT_SUBSCRIBED', [{ subscriptionId: 'x' }, { subscriptionId: '__proto__' }, { topics: ['task:1'] }, { topics: ['*'] }, { topics: ['task:1', 'task:2'] }]],
  ['signal', 'of wrong types', 'INVALID_MESSAGE', [
    undefined, null, 7, [], {}, { topic: 'task:1' }, { name: 'go' }, { topic: 7, name: 'go' }, ...['', 'a b', '7', 'x'.repeat(65)].map((name) => ({ topic: 'task:1', name })),
  ]],
  ['signal', 'of bad topics', 'INVALID_TOPIC', [...BAD_TOPICS, '*', 'task:*'].map((topic) => ({ topic, name: 'go' }))],
  ['signal', 'too large', 'PAYLOAD_TOO_LARGE', [65_536, 70_000, 100_000, 500_000, 1_000_000].map((size) => inSignal('x'.repeat(size)))],
  ['signal', 'nested too deep', 'VALIDATION_ERROR', parsed([33, 34, 100, 1000, 2000].map((levels) => nested('[', ']', levels))).map(inSignal)],
  ['signal', 'that reach for a prototype', 'VALIDATION_ERROR', parsed(['{"__proto__":1}', '{"a":{"__proto__":{}}}', '[{"constructor":1}]', '{"prototype":1}', '{"a":[[{"__proto__":null}]]}']).map(inSignal)],
  ['auth.refresh', 'of wrong types', 'AUTH_INVALID_FORMAT', [{ token: 7 }, { token: 'nonsense' }, { token: {} }, { apiKey: 'hub_x_y' }, { token: 'a.b' }]],
  ['auth.refresh', 'without a token', 'AUTH_MISSING_TOKEN', [undefined, null, {}, { token: '' }, 7]],
]
