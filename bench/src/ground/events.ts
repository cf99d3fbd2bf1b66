/**
 * The events of all scenarios, about 400 bytes as a hub commits them. Each tells its topic, its number in that topic and when it was
 * published: who hears it can tell loss, repetition, order and delay without anything else.
 */
import { randomUUID } from 'node:crypto'

/** Of so many 400 bytes, of the journal's JSON. */
const MESSAGE = 'Running the integration tests of the parser, third of five suites.'.padEnd(96, '.')

export const TYPE = 'task.progress'

export interface Place {
  /** The task's number. */
  topic: number
  /** 0, 1, 2, ... within the topic. */
  seq: number
}

export function topicOf(number: number): string {
  return `task:T-${number}`
}

/** µs of the machine's monotonic clock, the same for all its processes. */
export function micros(): number {
  return Math.round(Number(process.hrtime.bigint() / 1000n))
}

/** As a producer publishes it. @param more fields of its data */
export function published({ topic, seq }: Place, more: object = {}): { id: string; type: string; timestamp: number; data: object } {
  return { id: `b-${topic}-${seq}`, type: TYPE, timestamp: Date.now(), data: { taskId: `T-${topic}`, seq, at: micros(), progress: seq % 100, message: MESSAGE, ...more } }
}

const EPOCH = randomUUID()

/** As a hub commits it, fields, order and length alike: what the others send, so that all carry the same bytes. */
export function committed(place: Place, more?: object): object {
  const { id, type, timestamp, data } = published(place, more)
  return { id, type, source: '/services/bench', project: 'default', timestamp, committedAt: timestamp, epoch: EPOCH.slice(0, 8), topics: [topicOf(place.topic)], data }
}
