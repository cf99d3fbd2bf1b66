/** Topics, type patterns, cursors, `since` and times: what is taken, what is not, and what it means, against readings of their own. */
import { compareOffsets, formatCursor, HubError, isAfter, isOffset, isProject, isTopic, isTopicPattern, isTypePattern, laterOf, ORIGIN, parseCursor, parseSince, topicFamily, topicMatches, TOPIC_FAMILIES, typeMatches } from '@hubbub/protocol'
import { readMillis } from '@hubbub/protocol/catalogue'
import * as fc from 'fast-check'
import { parseIso } from '../../shared/src/clock.js'
import { createRandom } from '../faults/random.js'
import { mutateText, strangeText } from './mutate.js'
import { always, holds, often } from './seed.js'

// oxlint-disable-next-line no-control-regex
const id = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }).filter((text) => !/[\s*\u0000-\u001f\u007f\p{Cs}]/u.test(text))
const topic = fc.oneof({ arbitrary: fc.tuple(fc.constantFrom(...TOPIC_FAMILIES), id).map(([family, name]) => `${family}:${name}`), weight: 8 }, { arbitrary: fc.constantFrom('system', 'project'), weight: 1 })
const text = fc.oneof(fc.string({ unit: 'binary' }), fc.integer().map((seed) => strangeText(createRandom(seed))), topic, fc.tuple(topic, fc.integer()).map(([of, seed]) => mutateText(createRandom(seed), of)))
const anything = fc.oneof(text, fc.anything({ withNullPrototype: true }))

describe('topics', () => {
  test('are taken by their grammar, whatever they are made of', () => {
    always(2000, topic, (made) => {
      expect([isTopic(made), isTopicPattern(made)]).toEqual([true, true])
      expect(topicMatches(made, made)).toBe(true)
      expect(topicMatches(`${topicFamily(made)}:*`, made)).toBe(made.includes(':'))
      expect(topicMatches('*', made)).toBe(topicFamily(made) !== 'inbox')
    })
  })

  test('of anything else are refused without a throw, and what is taken has a known family and an id of its length', () => {
    always(4000, anything, (given) => {
      if (!isTopic(given)) return
      const [family, name] = given.includes(':') ? [given.slice(0, given.indexOf(':')), given.slice(given.indexOf(':') + 1)] : [given, undefined]
      expect([...TOPIC_FAMILIES, 'system', 'project']).toContain(family)
      if (name !== undefined) expect([name.length >= 1, Array.from(name).length <= 256, /[\s*]/.test(name)]).toEqual([true, true, false])
      // A store, a wire, a URL: none may make another topic of it.
      expect(Buffer.from(given, 'utf8').toString('utf8')).toBe(given)
      expect(decodeURIComponent(encodeURIComponent(given))).toBe(given)
    })
  })

  test('match a pattern as a naive reading of it does', () => {
    const pattern = fc.oneof(topic, fc.constant('*'), fc.constantFrom(...TOPIC_FAMILIES).map((family) => `${family}:*`), topic.filter((made) => made.includes(':')).chain((made) => fc.nat({ max: made.length }).map((cut) => `${made.slice(0, Math.max(cut, made.indexOf(':') + 1))}*`)))
    holds(2500, fc.property(pattern, topic, (one, other) => {
      fc.pre(isTopicPattern(one) && isTopic(other))
      expect(topicMatches(one, other)).toBe(naive(one, other))
    }))
  })
})

/** By character, as PROTOCOL.md says it. */
function naive(pattern: string, name: string): boolean {
  if (pattern === '*') return !name.startsWith('inbox:')
  for (let at = 0; at < pattern.length; at++) {
    if (pattern[at] === '*' && at === pattern.length - 1) return true
    if (pattern[at] !== name[at]) return false
  }
  return pattern.length === name.length
}

describe('type patterns', () => {
  test('of a grammar match as a naive reading does, and others are refused without a throw', () => {
    const word = fc.stringMatching(/^[a-z][a-z0-9_]{0,6}$/)
    const type = fc.array(word, { minLength: 1, maxLength: 3 }).map((words) => words.join('.'))
    holds(2000, fc.property(type, type, fc.boolean(), (one, other, isFamily) => {
      const pattern = isFamily ? `${one}.*` : one
      expect(isTypePattern(pattern)).toBe(true)
      expect(typeMatches(pattern, other)).toBe(isFamily ? other.startsWith(`${one}.`) : one === other)
    }))
    always(2000, anything, (given) => {
      if (isTypePattern(given)) expect(given).toMatch(/^(\*|[a-z][a-z0-9_.]*(\.\*)?)$/)
      if (isProject(given)) expect(encodeURIComponent(given)).toBe(given)
    })
  })
})

const offset = fc.tuple(fc.nat({ max: 2 ** 31 - 1 }), fc.nat({ max: 2000 })).map(([ms, seq]) => `${ms}-${seq}`)

describe('cursors', () => {
  test('are read as they were written, and what is read is written the same', () => {
    holds(2000, fc.property(fc.stringMatching(/^[A-Za-z0-9_-]{1,32}$/), offset, (epoch, at) => {
      expect(parseCursor(formatCursor(epoch, at))).toEqual({ epoch, offset: at })
    }))
    always(2500, fc.oneof(anything, fc.tuple(offset, fc.integer()).map(([at, seed]) => mutateText(createRandom(seed), `ep.${at}`))), (given) => {
      const cursor = parseCursor(given)
      if (cursor) expect([formatCursor(cursor.epoch, cursor.offset), isOffset(cursor.offset)]).toEqual([given, true])
    })
  })

  test('stand in one order', () => {
    holds(2500, fc.property(offset, offset, offset, (a, b, c) => {
      expect(Math.sign(compareOffsets(a, b))).toBe(-Math.sign(compareOffsets(b, a)) + 0)
      if (isAfter(a, b) && isAfter(b, c)) expect(isAfter(a, c)).toBe(true)
      expect(compareOffsets(a, b) === 0).toBe(a === b)
      expect(isAfter(ORIGIN, a)).toBe(false)
      expect([a, b]).toContain(laterOf(a, b))
    }))
  })
})

describe('since', () => {
  test('is one of four things, or INVALID_CURSOR', () => {
    const since = fc.oneof(anything, offset.map((at) => `e.${at}`), fc.tuple(fc.nat(), fc.constantFrom('s', 'm', 'h', 'd', 'x')).map(([count, unit]) => `${count}${unit}`), fc.record({ last: fc.oneof(fc.integer(), fc.double()) }), fc.constant('all'))
    always(4000, since, (given) => {
      const request = read(() => parseSince(given))
      if (typeof request === 'string') return expect(request).toBe('INVALID_CURSOR')
      expect(['cursor', 'duration', 'last', 'all']).toContain(request.kind)
      if (request.kind === 'duration') expect(Number.isInteger(request.ms) && request.ms >= 0).toBe(true)
      if (request.kind === 'last') expect(request.count >= 1 && request.count <= 1_000_000).toBe(true)
      if (request.kind === 'cursor') expect(formatCursor(request.epoch, request.offset)).toBe(given)
    })
  })
})

function read<T>(step: () => T): T | string {
  try {
    return step()
  } catch (error) {
    if (error instanceof HubError) return error.code
    throw error
  }
}

describe('times', () => {
  test('are whole milliseconds that mean the same when they are read again, and that can be written', () => {
    const date = fc.date({ min: new Date('1973-03-04'), max: new Date('9999-12-30'), noInvalidDate: true })
    always(2000, date, (time) => expect([readMillis(time.toISOString()), readMillis(time.getTime())]).toEqual([time.getTime(), time.getTime()]))
    always(4000, fc.oneof(anything, fc.double(), fc.integer(), date.chain((time) => fc.integer().map((seed) => mutateText(createRandom(seed), time.toISOString())))), (given) => {
      const millis = readMillis(given)
      if (millis === undefined) return
      expect([Number.isSafeInteger(millis), readMillis(millis)]).toEqual([true, millis])
      expect(parseIso(new Date(millis).toISOString())).toBe(millis)
    })
  })

  test('and texts of any length cost a bounded look', () => {
    often(200, (random) => `2026-03-01T10:00:00.${'1'.repeat(random.integer(0, 100_000))}Z`, (long) => expect(readMillis(long) === undefined || long.length <= 40).toBe(true))
  })
})
