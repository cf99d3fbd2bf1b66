/**
 * The events of a run: whatever one says follows from its mark alone, so that nothing needs to be remembered of millions of them. A producer
 * works for one project, on sixteen tasks in turn.
 */
import { partitionOf, type EventInput, type HubEvent } from '@hubbub/protocol'
import { markOf, numberOf, producerOf, type Mark } from './observer.js'

export const PARTITIONS = 4
/** Two for each of the first two partitions, one for each of the others. */
export const PROJECTS: readonly string[] = projectsOf([0, 1, 2, 3, 0, 1])
export const TASKS = ['a0', 'a1', 'a2', 'a3', 'b0', 'b1', 'b2', 'b3', 'c0', 'c1', 'c2', 'c3', 'd0', 'd1', 'd2', 'd3'] as const
export const LANES = 8

/** One event in so many is one that the hub must refuse. */
const FORBIDDEN_EVERY = 997
const MESSAGE = 'x'.repeat(80)

/** Of the event, what subscriptions choose by. */
export interface Traits {
  task: string
  type: 'task.progress' | 'custom.tick'
  lane: number
}

export function traitsOf(mark: Mark): Traits {
  const number = numberOf(mark)
  return { task: TASKS[number % TASKS.length]!, type: number % 5 === 0 ? 'custom.tick' : 'task.progress', lane: (number >>> 4) % LANES }
}

export function isForbidden(mark: Mark): boolean {
  return numberOf(mark) % FORBIDDEN_EVERY === FORBIDDEN_EVERY - 1
}

/** As it is handed in; about 200 bytes. */
export function inputOf(mark: Mark): EventInput & { id: string } {
  if (isForbidden(mark)) return forbiddenOf(mark)
  const { task, type, lane } = traitsOf(mark)
  const id = idOf(mark)
  // A custom event goes to `project` only, unless it names more.
  if (type === 'custom.tick') return { id, type, data: { taskId: task, lane, message: MESSAGE }, topics: [`task:${task}`] }
  return { id, type, data: { taskId: task, progress: numberOf(mark) % 100, lane, message: MESSAGE } }
}

/** Of each sort in turn: no such type, data that does not fit, a key that is never taken, one that only the hub may say. */
function forbiddenOf(mark: Mark): EventInput & { id: string } {
  const id = idOf(mark)
  switch (Math.floor(numberOf(mark) / FORBIDDEN_EVERY) % 4) {
    case 0:
      return { id, type: 'task.exploded', data: {} }
    case 1:
      return { id, type: 'task.progress', data: { taskId: 7, progress: 'all' } }
    case 2:
      return { id, type: 'custom.tick', data: JSON.parse('{"__proto__":{"admin":true}}') as object }
    default:
      return { id, type: 'task.lease_lost', data: { taskId: 'a0', reason: 'none' } }
  }
}

export function idOf(mark: Mark): string {
  return `e${producerOf(mark)}-${numberOf(mark)}`
}

const ID = /^e(\d+)-(\d+)$/

/** Undefined: an event of the hub's own. */
export function markOfId(id: string): Mark | undefined {
  const match = ID.exec(id)
  return match ? markOf(Number(match[1]), Number(match[2])) : undefined
}

const ID_FIRST = '{"id":"'
const PROJECT = '"project":"'

/** Of an event's JSON, without parsing all of it: there are millions. Quotes inside of texts are escaped, so the words are found as keys only. */
export function readEvent(json: string): { mark: Mark | undefined; project: string } {
  const id = json.startsWith(ID_FIRST) ? json.slice(ID_FIRST.length, json.indexOf('"', ID_FIRST.length)) : (JSON.parse(json) as HubEvent).id
  const from = json.indexOf(PROJECT) + PROJECT.length
  return { mark: markOfId(id), project: json.slice(from, json.indexOf('"', from)) }
}

function projectsOf(partitions: readonly number[]): string[] {
  let next = 0
  return partitions.map((partition) => {
    for (;;) {
      const name = `fault-${next++}`
      if (partitionOf(name, PARTITIONS) === partition) return name
    }
  })
}
