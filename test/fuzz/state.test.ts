/** Reducers and the views that are made of them: pure, total, and the same however one comes to a place in the journal. */
import { compareOffsets, evolve, formatCursor, isFolded, KINDS, mayStep, StateView, subjectsOf, TASK_STEPS, type Change, type Entity, type HubEvent, type Kind, type TaskStatus } from '@hubbub/protocol'
import { CATALOGUE, normalise, routeTopics } from '@hubbub/protocol/catalogue'
import { settingsWith } from '../../server/src/settings/read.js'
import type { Random } from '../faults/random.js'
import { eventsOf } from '../harness/hostile.js'
import { EVENTS } from './corpus.js'
import { anyJson, mutateJson, strangeText } from './mutate.js'
import { often } from './seed.js'

const START = 1_772_359_200_000
const IDS = ['T-1', 'a', '__proto__', 'constructor', 'toString', '\ud800']
const FOLDED = CATALOGUE.filter(({ type }) => isFolded(type)).map(({ type }) => type)
const settings = settingsWith()

function envelope(type: string, data: unknown, topics: string[], at: number): HubEvent {
  return { id: `e${at}`, type, timestamp: START + at, project: 'default', topics, data, metadata: { version: '1.0', source: '/agents/a', recordedAt: START + at } }
}

/** Whatever may stand in a journal: valid, mutated behind every check, or anything. */
function someJournal(random: Random): HubEvent[] {
  return Array.from({ length: random.integer(1, 25) }, (_, at) => {
    const type = random.pick(FOLDED)
    const sample = EVENTS.find((event) => event.type === type)?.data ?? {}
    const ids = Object.fromEntries(['taskId', 'agentId', 'pipelineId', 'streamId', 'checkpointId', 'runId', 'name'].map((field) => [field, random.pick(IDS)]))
    const whole = { ...sample, ...ids, ...(random.chance(0.3) && { managed: true }), ...(random.chance(0.3) && { leaseToken: String(random.integer(1, 3)) }) }
    const data = random.chance(0.1) ? anyJson(random) : random.chance(0.5) ? mutateJson(random, whole) : whole
    const topics = random.chance(0.2) ? [strangeText(random)] : [`task:${random.pick(IDS)}`, `run:${random.pick(IDS)}`, `agent:${random.pick(IDS)}`]
    return envelope(type, data, topics, at)
  })
}

class Entities {
  readonly held = new Map<string, Entity>()
  readonly changes: Change[][] = []

  fold(journal: readonly HubEvent[]): this {
    for (const event of journal) this.take(event)
    return this
  }

  take(event: HubEvent): Change[] {
    const changes = evolve(event, (kind, id) => this.held.get(`${kind} ${id}`) as never)
    for (const { kind, id, entity } of changes) {
      if (entity) this.held.set(`${kind} ${id}`, entity)
      else this.held.delete(`${kind} ${id}`)
    }
    this.changes.push(changes)
    return changes
  }
}

/** Freezes what a reducer is given: a pure one does not mind. */
function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    for (const key of Reflect.ownKeys(value)) frozen((value as Record<PropertyKey, unknown>)[key])
  }
  return value
}

/** Throws where a number is none, or where JSON would make something else of it. */
function requireJson(value: unknown, path: string): void {
  if (typeof value === 'number' && !Number.isFinite(value)) throw new Error(`${path} is ${value}`)
  if (['function', 'symbol', 'bigint'].includes(typeof value)) throw new Error(`${path} is a ${typeof value}`)
  if (typeof value !== 'object' || value === null) return
  if (!Array.isArray(value) && Object.getPrototypeOf(value) !== Object.prototype) throw new Error(`${path} has another prototype`)
  for (const [key, held] of Object.entries(value)) requireJson(held, `${path}.${key}`)
}

describe('the fold of any journal', () => {
  test('never throws, changes nothing that it was given, and makes entities that JSON can hold', () => {
    let changed = 0
    often(1500, someJournal, (journal) => {
      const entities = new Entities()
      for (const event of journal) {
        frozen(event)
        const subjects = subjectsOf(event)
        for (const { kind, id, entity } of entities.take(event)) {
          changed++
          frozen(entity)
          expect(subjects).toContainEqual({ kind, id })
          if (!entity) continue
          requireJson(entity, `${kind} ${id}`)
          expect([entity.id, 'status' in entity ? typeof entity.status : 'string', Number.isNaN(Date.parse(entity.createdAt)), Number.isNaN(Date.parse(entity.updatedAt))]).toEqual([id, 'string', false, false])
        }
      }
    })
    expect(changed).toBeGreaterThan(3000)
  })

  test('is the same twice, and the same from a snapshot in the middle', () => {
    often(800, (random) => ({ journal: someJournal(random), cut: random.next() }), ({ journal, cut }) => {
      const whole = new Entities().fold(journal)
      expect([...new Entities().fold(journal).held]).toEqual([...whole.held])
      const at = Math.floor(cut * journal.length)
      const resumed = new Entities()
      // As a store holds it in between.
      for (const [key, entity] of new Entities().fold(journal.slice(0, at)).held) resumed.held.set(key, JSON.parse(JSON.stringify(entity)) as Entity)
      resumed.fold(journal.slice(at))
      const json = (held: ReadonlyMap<string, Entity>) => [...held].map(([key, entity]) => `${key} ${JSON.stringify(sorted(entity))}`).sort()
      expect(json(resumed.held)).toEqual(json(whole.held))
    })
  })

  test('in a view: an event that it holds already changes nothing, and pages of a snapshot may come between', () => {
    often(600, someJournal, (journal) => {
      const offset = (at: number) => `${START}-${at + 1}`
      const view = new StateView(['*', 'inbox:*'])
      journal.forEach((event, at) => view.apply(event, offset(at)))
      const before = JSON.stringify(view.all())
      journal.forEach((event, at) => {
        // One that was forgotten is not known to have been: only what is held knows how far it is.
        if (subjectsOf(event).every(({ kind, id }) => view.get(kind, id))) expect(view.apply(event, offset(at))).toEqual([])
      })
      expect(JSON.stringify(view.all())).toBe(before)
      for (const entity of view.all()) expect(compareOffsets(entity.revision, offset(journal.length - 1))).toBeLessThanOrEqual(0)
      const paged = new StateView(['*'], view.all())
      for (const entity of view.all()) paged.put({ ...entity, revision: '1-1' })
      expect(JSON.stringify(paged.all())).toBe(before)
    })
  })

  test('of a managed task takes only the steps of its table, whatever is said of it', () => {
    const moves = FOLDED.filter((type) => type.startsWith('task.'))
    const make = (random: Random) => Array.from({ length: random.integer(5, 30) }, (_, at) => envelope(random.pick(moves), { taskId: 't', agentId: random.pick(['a', 'b']), managed: true, progress: 50, leaseToken: random.pick(['1', '2']) }, ['task:t'], at))
    often(1000, make, (journal) => {
      const entities = new Entities()
      let status: TaskStatus | undefined
      for (const event of journal) {
        entities.take(event)
        const task = entities.held.get('task t') as { status: TaskStatus; managed?: boolean } | undefined
        if (task?.managed && status !== undefined && status !== task.status) expect([status, task.status, mayStep(status, task.status)]).toEqual([status, task.status, true])
        status = task?.managed ? task.status : undefined
      }
    })
    expect(Object.keys(TASK_STEPS).length).toBe(9)
  })

  test('of valid events with hostile ids keeps each entity under its own name', () => {
    for (const id of ['__proto__x', 'a b'.replace(' ', '\u200b'), 'é', 'T/1@x#3']) {
      const entities = new Entities()
      for (const [at, input] of eventsOf({ name: 'ids', mark: 'm', text: 'text', id }).entries()) {
        const event = normalise(input, settings)
        entities.take(envelope(event.type, event.data, routeTopics(event), at))
      }
      const kinds = new Set([...entities.held.keys()].map((key) => key.split(' ')[0] as Kind))
      expect(KINDS.filter((kind) => kind !== 'task_type' && !kinds.has(kind))).toEqual([])
      for (const entity of entities.held.values()) requireJson(entity, entity.id)
    }
    expect(formatCursor('e', '1-1')).toBe('e.1-1')
  })
})

/** Keys in one order: in which a reducer wrote them is nobody's promise. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, held]) => [key, sorted(held)]))
}
