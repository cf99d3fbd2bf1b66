import { compareOffsets, formatCursor, isTopic, isTopicPattern, offsetMillis, parseCursor, parseSince, topicMatches } from '@hubbub/protocol'
import { checkHistory, checkSignal, checkSubscribe, checkUnsubscribe } from '@hubbub/protocol/catalogue'
import { failureOf } from './limits.js'

const limits = { maxTopics: 3 }
const codeOf = (act: () => unknown) => failureOf(act).code

describe('topics', () => {
  it.each(['task:t', 'agent:a/b#1', 'pipeline:p:stage:2', 'branch:o/r@feature/x', 'pr:o/r#42', 'system', 'project', 'inbox:a', 'run:é', `task:${'x'.repeat(256)}`])('%s is one', (topic) => {
    expect(isTopic(topic)).toBe(true)
    expect(isTopicPattern(topic)).toBe(true)
  })

  it.each(['', ':', 'task', 'task:', ':t', 'planet:x', 'task:a b', 'task:a\n', 'Task:t', 'system:x', `task:${'x'.repeat(257)}`, 5, null, ['task:t']])('%j is none', (topic) => {
    expect(isTopic(topic)).toBe(false)
  })

  it.each(['*', 'task:*', 'task:prefix*', 'repo:octo/*'])('%s is a pattern and no topic', (pattern) => {
    expect(isTopicPattern(pattern)).toBe(true)
    expect(isTopic(pattern)).toBe(false)
  })

  it.each(['**', 'task*', 'planet:*', 'task:*x', 'task:a*b*', 'system*', '*:t', 'task:a b*'])('%s is no pattern', (pattern) => {
    expect(isTopicPattern(pattern)).toBe(false)
  })

  it.each([['*', 'task:t', true], ['*', 'inbox:a', false], ['inbox:*', 'inbox:a', true], ['task:*', 'task:t', true], ['task:*', 'task', false],
    ['task:ab*', 'task:abc', true], ['task:ab*', 'task:a', false], ['task:t', 'task:t2', false]])('%s takes %s: %s', (pattern, topic, takes) => {
    expect(topicMatches(pattern, topic)).toBe(takes)
  })
})

describe('offsets and cursors', () => {
  it('are compared as numbers', () => {
    expect(['10-0', '9-10', '9-9', '0-0'].sort(compareOffsets)).toEqual(['0-0', '9-9', '9-10', '10-0'])
    expect(offsetMillis('1763700000000-3')).toBe(1_763_700_000_000)
  })

  it('come back from their text', () => {
    expect(parseCursor(formatCursor('e_1-x', '17-2'))).toEqual({ epoch: 'e_1-x', offset: '17-2' })
  })

  it.each(['', '17-2', 'e.17', 'e.17-2-3', 'e e.1-2', '.1-2', `${'x'.repeat(33)}.1-2`, 'e.1-2 ', 5, null])('%j is no cursor', (text) => {
    expect(parseCursor(text)).toBeUndefined()
  })
})

describe('since', () => {
  it.each([
    ['e.17-2', { kind: 'cursor', epoch: 'e', offset: '17-2' }], ['10m', { kind: 'duration', ms: 600_000 }], ['1.5h', { kind: 'duration', ms: 5_400_000 }],
    ['0s', { kind: 'duration', ms: 0 }], ['2d', { kind: 'duration', ms: 172_800_000 }], ['all', { kind: 'all' }], [{ last: 10 }, { kind: 'last', count: 10 }],
  ])('%j', (since, expected) => {
    expect(parseSince(since)).toEqual(expected)
  })

  it.each(['', 'ALL', '10', '10 m', '-5m', '10w', 'e.17', '1e3m', null, undefined, 5, true, [], {}, { last: 0 }, { last: 1.5 }, { last: '5' }, { last: 1e9 }, 'x'.repeat(500)])(
    '%j is refused', (since) => {
      expect(codeOf(() => parseSince(since))).toBe('INVALID_CURSOR')
    })
})

describe('a subscribe', () => {
  it('comes out with nothing else in it', () => {
    expect(checkSubscribe({ topics: ['task:*', 'task:*', 'system'], types: ['task.*', 'task:progress'], filter: { stage: 3, 'data.a.b': null }, since: { last: 5 }, junk: 1 }, limits))
      .toEqual({ topics: ['task:*', 'system'], types: ['task.*', 'task.progress'], filter: { stage: 3, 'data.a.b': null }, since: { last: 5 } })
  })

  it('may say from for since', () => {
    expect(checkSubscribe({ topics: ['*'], from: 'e.1-0' }, limits)).toEqual({ topics: ['*'], since: 'e.1-0' })
  })

  it.each([
    undefined, null, 'task:*', [], {}, { topics: 'task:*' }, { topics: [] }, { topics: [5] }, { topics: ['task:1', 'task:2', 'task:3', 'task:4'] },
    { topics: ['*'], types: 'task.*' }, { topics: ['*'], types: [] }, { topics: ['*'], types: ['Task'] }, { topics: ['*'], types: ['task.**'] },
    { topics: ['*'], filter: [] }, { topics: ['*'], filter: { a: {} } }, { topics: ['*'], filter: { '1a': 1 } }, { topics: ['*'], filter: { 'a b': 1 } },
    { topics: ['*'], filter: JSON.parse('{"__proto__":1}') }, { topics: ['*'], filter: { a: 1, b: 1, c: 1, d: 1, e: 1, f: 1, g: 1, h: 1, i: 1 } },
  ])('is refused when it is %j', (input) => {
    expect(codeOf(() => checkSubscribe(input, limits))).toBe('INVALID_MESSAGE')
  })

  it.each(['', 'task', 'planet:1', 'task:a b', 'task:*x'])('names the topic %j that it may not', (topic) => {
    expect(failureOf(() => checkSubscribe({ topics: ['task:1', topic] }, limits))).toMatchObject({ code: 'INVALID_TOPIC', details: { topic } })
  })

  it('refuses a since that is none', () => {
    expect(codeOf(() => checkSubscribe({ topics: ['*'], since: 'yesterday' }, limits))).toBe('INVALID_CURSOR')
  })
})

describe('an unsubscribe', () => {
  it.each([[{}], [{ subscriptionId: 's-1' }], [{ topics: ['task:*'] }]])('%j', (input) => {
    expect(checkUnsubscribe(input, limits)).toEqual(input)
  })

  it.each([null, 's-1', { subscriptionId: 5 }, { subscriptionId: '' }, { topics: [] }, { topics: 'task:*' }])('is refused when it is %j', (input) => {
    expect(codeOf(() => checkUnsubscribe(input, limits))).toBe('INVALID_MESSAGE')
  })
})

describe('a signal', () => {
  const size = { maxEventBytes: 100, maxDepth: 4 }

  it('comes out with its data as it was', () => {
    expect(checkSignal({ topic: 'task:t', name: 'cursor.moved', data: { x: 1 } }, size)).toEqual({ topic: 'task:t', name: 'cursor.moved', data: { x: 1 } })
    expect(checkSignal({ topic: 'task:t', name: 'poke' }, size)).toEqual({ topic: 'task:t', name: 'poke' })
  })

  it.each([
    ['INVALID_MESSAGE', null], ['INVALID_MESSAGE', {}], ['INVALID_MESSAGE', { topic: 'task:t' }], ['INVALID_MESSAGE', { topic: 'task:t', name: '' }],
    ['INVALID_MESSAGE', { topic: 'task:t', name: 'a b' }], ['INVALID_MESSAGE', { topic: 5, name: 'x' }], ['INVALID_TOPIC', { topic: 'task:*', name: 'x' }],
    ['INVALID_TOPIC', { topic: '*', name: 'x' }], ['PAYLOAD_TOO_LARGE', { topic: 'task:t', name: 'x', data: 'y'.repeat(100) }],
    ['VALIDATION_ERROR', { topic: 'task:t', name: 'x', data: JSON.parse('{"__proto__":1}') as unknown }],
    ['VALIDATION_ERROR', { topic: 'task:t', name: 'x', data: [[[[[]]]]] }], ['VALIDATION_ERROR', { topic: 'task:t', name: 'x', data: Buffer.from('x') }],
  ])('is refused with %s when it is %j', (code, input) => {
    expect(codeOf(() => checkSignal(input, size))).toBe(code)
  })
})

describe('a history request', () => {
  it('comes out with its limit and wait', () => {
    expect(checkHistory({ topics: ['task:t'], since: '1h', limit: 1000, wait: 0.5 }, limits)).toEqual({ topics: ['task:t'], since: '1h', limit: 1000, wait: 0.5 })
  })

  it.each([{ limit: 0 }, { limit: 1001 }, { limit: 1.5 }, { limit: '5' }, { wait: -1 }, { wait: 61 }, { topics: [] }])('is refused with %j', (wrong) => {
    expect(codeOf(() => checkHistory({ topics: ['task:t'], ...wrong }, limits))).toBe('INVALID_MESSAGE')
  })
})
