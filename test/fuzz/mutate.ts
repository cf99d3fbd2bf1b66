/** Mutations that know the grammar: of valid messages most of a hostile one is valid, and gets further than noise. */
import type { Random } from '../faults/random.js'

/** Texts that some parser somewhere takes for something else. */
const STRANGE: readonly string[] = [
  '', ' ', '*', '**', ':', 'task:', 'task:*', ':1', '__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'null', 'undefined', 'true', 'NaN', '-0', '1e999', '0x10', '١', '..', '../..', '%00', '%', '%ff',
  '\u0000', '\n', '\r\n', '\u001b[2J', '\u202e', '\ufeff', '\ud800', '\udc00x', '\u{1f600}', 'é', 'İ', '\u2028', '<script>', '"', '\\', '{}', '[]', '[object Object]', ',', ';', '=', '&', '?', '#', '/', '~', '~1', '-', 'last:5', '10m', 'e.1-0', 'e.1-',
  '2026-03-01T10:00:00Z', '0000-00-00T00:00:00Z', '+275760-09-13T00:00:00.000Z', 'event', 'events', 'system', 'project', 'inbox:*', 'inbox:tester', 'x'.repeat(65), 'x'.repeat(129), 'x'.repeat(257), 'x'.repeat(3000),
]
const NUMBERS: readonly number[] = [0, -0, 1, -1, 0.5, 1.5, 100, 101, 255, 1000, 1001, 2 ** 31, 2 ** 32, 2 ** 53, -(2 ** 53), 1e11, 1e16, 1e21, 1e308, -1e308, 5e-324, 8.64e15, 8.64e15 + 1, 253402300800000]
/** Keys that reach a prototype, or that some code reads without asking whose they are. */
const KEYS: readonly string[] = ['__proto__', 'constructor', 'prototype', 'toString', 'valueOf', 'toJSON', 'then', 'length', 'type', 'id', 'data', 'payload', 'topics', 'topic', 'taskId', 'task_id', 'since', 'filter', 'metadata', '', '0', '-1']
const CHARACTERS = '{}[]":,\\\'/*-+.0123456789eEtrufalsn \n\t\u0000\u007f\u0080\u2028\ud800\udfffabcxyz_%&=?#~;'

export function strangeText(random: Random): string {
  return random.chance(0.6) ? random.pick(STRANGE) : Array.from({ length: random.integer(0, 12) }, () => CHARACTERS[random.integer(0, CHARACTERS.length - 1)]!).join('')
}

/** Any JSON, a few levels deep. `__proto__` is a key as any other here, as `JSON.parse` makes it. */
export function anyJson(random: Random, depth = 3): unknown {
  const kind = random.integer(0, depth > 0 ? 9 : 6)
  if (kind < 3) return strangeText(random)
  if (kind < 5) return random.pick(NUMBERS)
  if (kind === 5) return random.chance(0.5)
  if (kind === 6) return null
  const parts = Array.from({ length: random.integer(0, 4) }, () => anyJson(random, depth - 1))
  if (kind === 7) return parts
  return Object.fromEntries(parts.map((part) => [random.chance(0.5) ? random.pick(KEYS) : strangeText(random), part]))
}

/** Of a valid message with one to three things wrong. Copies; what is not touched is shared. */
export function mutateJson(random: Random, value: unknown): unknown {
  let mutated = value
  for (let times = random.pick([1, 1, 1, 2, 3]); times > 0; times--) mutated = alter(random, mutated, random.integer(0, 4))
  return mutated
}

function alter(random: Random, value: unknown, depth: number): unknown {
  if (depth > 0 && Array.isArray(value) && value.length > 0) {
    const at = random.integer(0, value.length - 1)
    return random.chance(0.75) ? value.with(at, alter(random, value[at], depth - 1)) : alterList(random, value, at)
  }
  if (depth > 0 && typeof value === 'object' && value !== null && !Array.isArray(value)) {
    const entries = Object.entries(value)
    if (entries.length === 0 || random.chance(0.15)) return Object.fromEntries([...entries, [random.chance(0.7) ? random.pick(KEYS) : strangeText(random), anyJson(random, 2)]])
    const at = random.integer(0, entries.length - 1)
    const [key, held] = entries[at]!
    const place = random.integer(0, 9)
    if (place === 0) return Object.fromEntries(entries.toSpliced(at, 1))
    if (place === 1) return Object.fromEntries(entries.with(at, [random.pick(KEYS), held]))
    return Object.fromEntries(entries.with(at, [key, alter(random, held, depth - 1)]))
  }
  return replace(random, value)
}

function alterList(random: Random, list: readonly unknown[], at: number): unknown[] {
  switch (random.integer(0, 3)) {
    case 0:
      return list.toSpliced(at, 1)
    case 1:
      return [...list, ...list]
    case 2:
      return Array.from({ length: random.pick([17, 51, 65, 101]) }, () => list[at])
    default:
      return [...list, anyJson(random, 1)]
  }
}

function replace(random: Random, value: unknown): unknown {
  if (typeof value === 'string' && random.chance(0.6)) return mutateText(random, value)
  if (typeof value === 'number' && random.chance(0.6)) return random.chance(0.5) ? random.pick(NUMBERS) : value + random.pick([-1, 1, 0.5, 1e6])
  // What a String() of would call.
  if (random.chance(0.03)) return { toString: 1, valueOf: null }
  if (random.chance(0.05)) return nested(random.pick([5, 31, 32, 33, 40, 200]), random.chance(0.5))
  return anyJson(random, 2)
}

/** So many levels, the outermost counted. */
export function nested(levels: number, isList: boolean): unknown {
  let value: unknown = 1
  for (let level = 0; level < levels; level++) value = isList ? [value] : { a: value }
  return value
}

/** Characters flipped, parts cut out, doubled or put in, an end torn off. */
export function mutateText(random: Random, text: string): string {
  const at = random.integer(0, text.length)
  const to = Math.min(text.length, at + random.integer(0, 8))
  switch (random.integer(0, 6)) {
    case 0:
      return text.slice(0, at) + strangeText(random) + text.slice(at)
    case 1:
      return text.slice(0, at) + text.slice(to)
    case 2:
      return text.slice(0, to) + text.slice(at)
    case 3:
      return text.slice(0, at)
    case 4:
      return text.slice(0, at) + CHARACTERS[random.integer(0, CHARACTERS.length - 1)]! + text.slice(at + 1)
    case 5:
      return random.chance(0.5) ? text.toUpperCase() : text + text
    default:
      return strangeText(random)
  }
}

/** Bytes of a frame or body: mostly of a text, with some of them changed; some are no UTF-8. */
export function mutateBytes(random: Random, text: string): Buffer {
  const bytes = Buffer.from(text, 'utf8')
  for (let times = random.integer(1, 3); times > 0 && bytes.length > 0; times--) bytes[random.integer(0, bytes.length - 1)] = random.integer(0, 255)
  return bytes
}

export function anyBytes(random: Random, most = 64): Buffer {
  return Buffer.from(Array.from({ length: random.integer(0, most) }, () => random.integer(0, 255)))
}
