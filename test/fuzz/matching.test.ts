/** Filters and patches against naive readings of them. */
import { applyPatch, matches, passes, PatchFailed, topicMatches, typeMatches, type Filter, type HubEvent, type PatchOperation } from '@hubbub/protocol'
import { checkHistory, checkSnapshot, checkSubscribe } from '@hubbub/protocol/catalogue'
import type { Random } from '../faults/random.js'
import { MESSAGES } from './corpus.js'
import { outcomeOf } from './judge.js'
import { anyJson, mutateJson, strangeText } from './mutate.js'
import { often } from './seed.js'

const KEYS = ['a', 'b', 'stage', 'capabilities', 'agentType', 'data']
const VALUES = [null, true, false, 0, -0, 1, 1.5, '', '1', 'build', 'x']

function someData(random: Random, depth = 3): unknown {
  if (depth === 0 || random.chance(0.4)) return random.pick(VALUES)
  const parts = Array.from({ length: random.integer(0, 3) }, () => someData(random, depth - 1))
  return random.chance(0.3) ? parts : Object.fromEntries(parts.map((part) => [random.pick(KEYS), part]))
}

/** Mostly of a field that is there, and with the value that it has. */
function someCondition(random: Random, data: unknown): [string, unknown] {
  const path: string[] = random.chance(0.2) ? ['data'] : []
  let at = data
  while (typeof at === 'object' && at !== null && Object.keys(at).length > 0 && !Array.isArray(at)) {
    const key = random.pick(Object.keys(at))
    path.push(random.chance(0.95) ? key : random.pick(['capability', 'agentTypes', '0', 'length', '__proto__', 'toString', 'valueOf']))
    at = (at as Record<string, unknown>)[key]
  }
  if (path.length === 0 || random.chance(0.1)) path.push(random.pick([...KEYS, 'toString', 'hasOwnProperty']))
  return [path.join('.'), random.chance(0.7) ? (Array.isArray(at) ? at[0] : at) : random.pick(VALUES)]
}

function eventOf(type: string, topics: string[], data: unknown): HubEvent {
  return { id: 'e', type, timestamp: 1, project: 'p', topics, data, metadata: { version: '1.0', source: '/x', recordedAt: 1 } }
}

const PLURAL: Record<string, string> = { capability: 'capabilities', agentTypes: 'agentType' }

/** As PROTOCOL.md says it: each field by its dotted path, all must hold; of a list, one of its items. (A list has a `length`, too.) */
function naive(filter: Filter, data: unknown): boolean {
  return Object.entries(filter).every(([key, expected]) => {
    let at: unknown = data
    for (const step of (Object.hasOwn(PLURAL, key) ? PLURAL[key]! : key).replace(/^data\./, '').split('.')) at = at !== null && typeof at === 'object' && Object.hasOwn(at, step) ? (at as Record<string, unknown>)[step] : undefined
    return Array.isArray(at) ? at.some((item) => item === expected) : at === expected
  })
}

describe('filters', () => {
  test('take what a naive reading of them takes', () => {
    let taken = 0
    const make = (random: Random) => {
      const data = someData(random, 4)
      return { data, filter: Object.fromEntries(Array.from({ length: random.integer(1, 2) }, () => someCondition(random, data))) as Filter }
    }
    often(6000, make, ({ filter, data }) => {
      const found = passes({ topics: ['*'], filter }, eventOf('custom.x', ['project'], data))
      expect(found).toBe(naive(filter, data))
      if (found) taken++
    })
    expect(taken).toBeGreaterThan(200)
  })

  test('with topics and types: all three must hold', () => {
    const make = (random: Random) => ({
      topics: [random.pick(['*', 'task:*', 'task:a', 'agent:b*', 'inbox:*'])], types: random.pick([undefined, ['*'], ['task.*'], ['task.progress', 'custom.x']]), filter: random.pick([undefined, { a: 1 }]) as Filter | undefined,
      event: eventOf(random.pick(['task.progress', 'custom.x', 'taskx.y']), [random.pick(['task:a', 'task:ab', 'agent:bc', 'inbox:q', 'project'])], someData(random)),
    })
    often(3000, make, ({ topics, types, filter, event }) => {
      const expected = topics.some((pattern) => event.topics.some((topic) => topicMatches(pattern, topic))) && (!types || types.some((type) => typeMatches(type, event.type))) && (!filter || naive(filter, event.data))
      expect(matches({ topics, ...(types && { types }), ...(filter && { filter }) }, event)).toBe(expected)
    })
  })
})

describe('requests for events', () => {
  test('are taken as they will be asked, and taken again without a change, or refused', () => {
    const limits = { maxTopics: 50 }
    let taken = 0
    for (const [check, name] of [[checkSubscribe, 'subscribe'], [checkHistory, 'history'], [checkSnapshot, 'snapshot']] as const) {
      const inputs = MESSAGES.filter(([message]) => message === (name === 'history' ? 'subscribe' : name)).map(([, input]) => input)
      often(1500, (random) => mutateJson(random, random.pick(inputs)), (input) => {
        const outcome = outcomeOf(() => check(input, limits))
        if (!outcome.taken) return
        taken++
        const request = outcome.value
        expect(request.topics.length).toBeGreaterThan(0)
        expect(check(JSON.parse(JSON.stringify(request)), limits)).toEqual(request)
      })
    }
    expect(taken).toBeGreaterThan(500)
  })
})

const OPS = ['add', 'replace', 'remove', 'move', 'copy', 'test'] as const

function somePatch(random: Random, document: unknown): PatchOperation[] {
  const pointer = () => {
    let at: unknown = document
    const keys: string[] = []
    while (typeof at === 'object' && at !== null && random.chance(0.75)) {
      const key = random.chance(0.85) && Object.keys(at).length > 0 ? random.pick(Object.keys(at)) : random.pick(['-', '0', '7', '01', '-1', '1e0', 'length', '__proto__', 'constructor', strangeText(random).slice(0, 5)])
      keys.push(key)
      at = (at as Record<string, unknown>)[key]
    }
    return keys.map((key) => `/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
  }
  return Array.from({ length: random.integer(1, 4) }, () => ({ op: random.pick(OPS), path: pointer(), from: pointer(), value: anyJson(random, 1) }))
}

describe('patches', () => {
  test('change a document as RFC 6902 says, or not at all, and never the one that they were given', () => {
    let applied = 0
    often(5000, (random) => {
      const document = JSON.parse(JSON.stringify(anyJson(random, 4))) as unknown
      return { document, patch: somePatch(random, document) }
    }, ({ document, patch }) => {
      const before = JSON.stringify(document)
      const expected = naively(document, patch)
      let result: unknown
      try {
        result = applyPatch(document, patch)
        applied++
      } catch (error) {
        if (!(error instanceof PatchFailed)) throw error
        result = undefined
      }
      expect(JSON.stringify(document)).toBe(before)
      expect(JSON.stringify(result)).toBe(JSON.stringify(expected))
      expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
    })
    expect(applied).toBeGreaterThan(800)
  })

  test('of two documents of thousands of levels are compared without a stack', () => {
    const deep = (levels: number) => JSON.parse(`${'['.repeat(levels)}1${']'.repeat(levels)}`) as unknown
    expect(applyPatch({ a: deep(5000), b: deep(5000) }, [{ op: 'test', path: '/a', value: deep(5000) }])).toBeDefined()
    const many = Array.from({ length: 3000 }, (): PatchOperation => ({ op: 'add', path: '/list/-', value: 1 }))
    expect((applyPatch({ list: [] }, many) as { list: number[] }).list).toHaveLength(3000)
  })
})

/** On a copy, in place; undefined where an operation cannot be done. What our own says further: an index past the end of a moved value is the end. */
function naively(document: unknown, patch: readonly PatchOperation[]): unknown {
  const root = { '': structuredClone(document) } as Record<string, unknown>
  for (const operation of patch) if (!carryOut(root, operation)) return undefined
  return root['']
}

interface Place {
  holder: Record<string, unknown> | unknown[]
  key: string
}

function placeOf(root: Record<string, unknown>, pointer: string): Place | undefined {
  const keys = ['', ...pointer.split('/').slice(1).map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'))]
  let holder: unknown = root
  for (const key of keys.slice(0, -1)) {
    if (typeof holder !== 'object' || holder === null || !Object.hasOwn(holder, key) || (Array.isArray(holder) && !/^\d+$/.test(key))) return undefined
    holder = (holder as Record<string, unknown>)[key]
  }
  const key = keys.at(-1)!
  if (typeof holder !== 'object' || holder === null || keys.includes('__proto__')) return undefined
  return { holder: holder as Place['holder'], key }
}

function isThere({ holder, key }: Place): boolean {
  return Object.hasOwn(holder, key) && (!Array.isArray(holder) || /^\d+$/.test(key))
}

function carryOut(root: Record<string, unknown>, operation: PatchOperation): boolean {
  const from = 'from' in operation && (operation.op === 'move' || operation.op === 'copy') ? placeOf(root, operation.from) : undefined
  if (operation.op === 'move' || operation.op === 'copy') {
    if (!from || !isThere(from)) return false
    const value = structuredClone((from.holder as Record<string, unknown>)[from.key])
    if (operation.op === 'move') takeOut(from)
    const place = placeOf(root, operation.path)
    return place !== undefined && putIn(place, value, 'clamp')
  }
  const place = placeOf(root, operation.path)
  if (!place) return false
  if (operation.op === 'add') return putIn(place, structuredClone(operation.value), 'strict')
  if (!isThere(place)) return false
  const held = (place.holder as Record<string, unknown>)[place.key]
  if (operation.op === 'test') return same(held, operation.value)
  if (operation.op === 'remove') takeOut(place)
  else if (operation.op === 'replace') (place.holder as Record<string, unknown>)[place.key] = structuredClone(operation.value)
  return true
}

function takeOut({ holder, key }: Place): void {
  if (Array.isArray(holder)) holder.splice(Number(key), 1)
  else if (key === '') holder[key] = key in holder && Object.keys(holder).length === 1 && Object.hasOwn(holder, '') ? null : undefined
  if (!Array.isArray(holder) && key !== '') delete holder[key]
}

function putIn({ holder, key }: Place, value: unknown, how: 'strict' | 'clamp'): boolean {
  if (!Array.isArray(holder)) {
    holder[key] = value
    return true
  }
  const at = key === '-' ? holder.length : /^\d+$/.test(key) ? Number(key) : -1
  if (at < 0 || (how === 'strict' && at > holder.length)) return false
  holder.splice(at, 0, value)
  return true
}

/** Of JSON: `-0` is `0` there. */
function same(a: unknown, b: unknown): boolean {
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return a === b
  const [one, other] = [Object.entries(a), Object.entries(b)]
  return Array.isArray(a) === Array.isArray(b) && one.length === other.length && one.every(([key, held]) => Object.hasOwn(b, key) && same(held, (b as Record<string, unknown>)[key]))
}
