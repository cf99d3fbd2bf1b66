import { silent } from '../../server/src/observe/log.js'
import { createDecoder } from '../../server/src/processor/decode.js'
import { settingsWith } from '../../server/src/settings/read.js'
import type { SourceEntry, SourceName } from '../../server/src/store/port.js'
import { seenKey } from '../../server/src/store/seen.js'
import { progress } from './entries.js'

const settings = settingsWith({ partitions: 4 })
/** `default` is of partition 2 of 4. */
const HERE = 2
const decode = createDecoder({ partition: HERE, partitions: 4, settings, log: silent })
const identity = JSON.stringify({ source: '/agents/coder', project: 'default', agentId: 'coder' })

function entry(stream: SourceName, event: unknown, fields: Record<string, string> = {}): SourceEntry {
  const text = typeof event === 'string' ? event : JSON.stringify(event)
  return { stream, id: '1700000000000-3', fields: event === undefined ? fields : { event: text, ...fields } }
}

function codeOf(given: SourceEntry): string | undefined {
  const verdict = decode(given)
  return 'refusal' in verdict ? verdict.refusal.dead?.code : 'accepted'
}

function accepted(given: SourceEntry) {
  const verdict = decode(given)
  if ('refusal' in verdict) throw new Error(verdict.refusal.outcome)
  return verdict
}

describe('an entry of our gateways', () => {
  test('becomes the event that its identity vouches for', () => {
    const input = progress('e1', 't1', 40, { timestamp: 1_699_999_999_000, topics: ['run:r1'], metadata: { correlationId: 'c1' } })
    const verdict = accepted(entry('agents', input, { identity, replyTo: 'w1' }))
    expect(verdict.event).toEqual({
      id: 'e1',
      type: 'task.progress',
      timestamp: 1_699_999_999_000,
      project: 'default',
      topics: ['task:t1', 'run:r1'],
      data: { taskId: 't1', progress: 40 },
      metadata: { version: '1.0', source: '/agents/coder', recordedAt: 1_700_000_000_000, correlationId: 'c1' },
    })
    expect(verdict).toMatchObject({ seen: seenKey('default', '/agents/coder', 'e1'), replyTo: 'w1' })
  })

  test('is ready for the journal when no state depends on it, and left to the fold otherwise', () => {
    const { append, event } = accepted(entry('agents', { id: 'e2', type: 'custom.note', data: { n: 1 }, topics: ['run:r1'] }, { identity, replyTo: 'w1' }))
    expect(append).toEqual({ seen: seenKey('default', '/agents/coder', 'e2'), event: JSON.stringify(event), topics: ['default/project', 'default/run:r1'], replyTo: 'w1' })
    expect(accepted(entry('agents', progress('e1', 't1', 40), { identity })).append.event).toBe('')
  })

  test.each([
    '{', '[]', 'null', '{}', '{"source":"/x"}', '{"source":"/x","project":"a b"}', '{"source":7,"project":"default"}',
  ])('with the identity %s is a dead letter', (broken) => {
    expect(codeOf(entry('agents', progress('e1', 't1', 1), { identity: broken }))).toBe('INVALID_MESSAGE')
  })

  test('of another project than its producer\'s is refused', () => {
    expect(codeOf(entry('agents', progress('e1', 't1', 1, { project: 'other' }), { identity }))).toBe('WRONG_PROJECT')
  })
})

describe('a raw entry', () => {
  test('comes from its stream, whatever identity it claims, and nobody waits for it', () => {
    const verdict = accepted(entry('workflows', progress('e1', 't1', 1), { identity, replyTo: 'w1' }))
    expect(verdict.event.metadata.source).toBe('/streams/workflows')
    expect(verdict.append.replyTo).toBeUndefined()
  })

  test('gets id, timestamp and project where it names none', () => {
    const { event } = accepted(entry('workflows', { type: 'task.progress', data: { taskId: 't1', progress: 1 } }))
    expect(event).toMatchObject({ id: 'workflows:1700000000000-3', timestamp: 1_700_000_000_000, project: 'default' })
  })

  test('of a project of another partition is refused', () => {
    expect(codeOf(entry('workflows', progress('e1', 't1', 1, { project: 'shop' })))).toBe('WRONG_PARTITION')
  })

  test.each(['connection.opened', 'task.delegate'])('may not say %s, except on the system stream', (type) => {
    const data = { connectionId: 'c1', taskId: 't1', agentId: 'a1', reason: 'left' }
    expect(codeOf(entry('workflows', { type, data }))).toBe('UNKNOWN_TYPE')
    expect(codeOf(entry('system', { type, data }))).toBe('accepted')
  })

  test.each([
    ['no event field', undefined, 'INVALID_MESSAGE'],
    ['an empty event', '', 'INVALID_MESSAGE'],
    ['text', 'hello', 'INVALID_MESSAGE'],
    ['half an object', '{"type":"task.progress"', 'INVALID_MESSAGE'],
    ['a list', '[]', 'INVALID_MESSAGE'],
    ['null', 'null', 'INVALID_MESSAGE'],
    ['a number', '42', 'INVALID_MESSAGE'],
    ['no type', { data: {} }, 'INVALID_MESSAGE'],
    ['a number for a type', { type: 7, data: {} }, 'INVALID_MESSAGE'],
    ['an unknown type', { type: 'task.exploded', data: {} }, 'UNKNOWN_TYPE'],
    ['a command', { type: 'subscribe', data: {} }, 'UNKNOWN_TYPE'],
    ['a missing field', { type: 'task.progress', data: { taskId: 't1' } }, 'VALIDATION_ERROR'],
    ['a field of the wrong type', progress('e', 't', '40' as unknown as number), 'VALIDATION_ERROR'],
    ['progress out of range', progress('e', 't', 140), 'VALIDATION_ERROR'],
    ['a forbidden key', '{"type":"task.progress","data":{"taskId":"t","progress":1,"__proto__":{"admin":true}}}', 'VALIDATION_ERROR'],
    ['a bad topic', progress('e', 't', 1, { topics: ['nonsense topic'] }), 'INVALID_TOPIC'],
    ['a topic pattern', progress('e', 't', 1, { topics: ['task:*'] }), 'INVALID_TOPIC'],
    ['too much data', { type: 'custom.bulk', data: { text: 'x'.repeat(70_000) } }, 'PAYLOAD_TOO_LARGE'],
    ['more text than any event may be', `{"type":"custom.bulk","data":"${'x'.repeat(1_600_000)}"}`, 'PAYLOAD_TOO_LARGE'],
    ['data nested too deep', `{"type":"custom.deep","data":{"a":${'['.repeat(100)}${']'.repeat(100)}}}`, 'VALIDATION_ERROR'],
    ['brackets nested beyond any stack', `{"type":"custom.deep","data":${'['.repeat(200_000)}${']'.repeat(200_000)}}`, 'VALIDATION_ERROR'],
    ['a bad project', progress('e', 't', 1, { project: '../etc' }), 'INVALID_MESSAGE'],
    ['a bad timestamp', progress('e', 't', 1, { timestamp: 'yesterday' }), 'INVALID_MESSAGE'],
    ['an id of a thousand characters', progress('x'.repeat(1000), 't', 1), 'INVALID_MESSAGE'],
  ])('with %s is a dead letter', (_, event, code) => {
    expect(codeOf(entry('workflows', event))).toBe(code)
  })

  test('that is refused can be asked for by its id, and the reason names the place', () => {
    const verdict = decode(entry('workflows', progress('e9', 't', 140)))
    if (!('refusal' in verdict)) throw new Error('it was accepted')
    expect(verdict.seen).toBe(seenKey('default', '/streams/workflows', 'e9'))
    expect(verdict.refusal.outcome).toMatch(/^!VALIDATION_ERROR .*progress/)
    expect(verdict.refusal.dead).toMatchObject({ stream: 'workflows', id: '1700000000000-3', fields: { event: expect.stringContaining('e9') } })
  })
})
