/**
 * Producers as the protocol asks of them: events are numbered, and what was not acknowledged is handed in again under its id before anything
 * behind it. One of them writes to a source stream itself, as workflow engines do.
 */
import { partitionOf, partitionTag, type Answer, type PublishResult } from '@hubbub/protocol'
import { createClient } from 'redis'
import { io } from 'socket.io-client'
import { overHttp, overSocket, type Send } from '../harness/producer.js'
import { inputOf, isForbidden, PARTITIONS } from './events.js'
import type { Journals } from './journals.js'
import { markOf, type Mark, type Observer } from './observer.js'
import { passFor } from './pass.js'
import type { Door } from './world.js'

export interface Producer {
  readonly name: string
  /** Events handed in so far. */
  handedIn(): number
  /** How often it had to hand something in again. */
  repeats(): number
  /** Begins nothing new; resolves when all that was handed in is acknowledged, refused or (by a raw writer) written. */
  finish(): Promise<void>
}

export interface ProducerPlace {
  number: number
  project: string
  observer: Observer
  journals: Journals
  /** Events that it may hand in at once from now on; asked again and again. */
  allowance: () => number
  /** From then on it does not even wait for what it handed in. */
  halt: AbortSignal
}

const BATCH = 500
const AGAIN_MS = 100
/** Entries of a source stream that nobody has read. */
const MOST_WAITING = 5000

export function httpProducer(place: ProducerPlace, door: Door): Producer {
  const send = overHttp(() => door.url, passFor('service', place.project, `producer-${place.number}`))
  return produce(`http-${place.number}`, place, (marks, repeated) => insist(marks, send, place, repeated))
}

export function socketProducer(place: ProducerPlace, door: Door): Producer {
  const token = passFor('agent', place.project, `producer-${place.number}`)
  const socket = io(door.url, { auth: { token }, transports: ['websocket'], forceNew: true, reconnectionDelay: 50, reconnectionDelayMax: 500, timeout: 3000 })
  const send = overSocket(socket)
  const producer = produce(`socket-${place.number}`, place, (marks, repeated) => insist(marks, (inputs) => (socket.connected ? send(inputs) : Promise.resolve([])), place, repeated))
  return {
    ...producer,
    async finish() {
      await producer.finish()
      socket.disconnect()
    },
  }
}

/** What it writes is never acknowledged by the hub; the invalid among it goes to the dead letters. */
export function rawProducer(place: ProducerPlace, url: () => string): Producer {
  const key = `hubbub:${partitionTag(partitionOf(place.project, PARTITIONS))}:source:workflows`
  return produce(`raw-${place.number}`, place, async (marks, repeated) => {
    for (let isWritten = false; !place.halt.aborted; await later(AGAIN_MS)) {
      const client = createClient({ url: url(), disableOfflineQueue: true, socket: { reconnectStrategy: false, connectTimeout: 2000, socketTimeout: 5000 } })
      client.on('error', () => {})
      try {
        await client.connect()
        // All or none: were one refused and the next taken, writing the first again would turn them round.
        const all = client.multi()
        for (const mark of marks) all.xAdd(key, '*', { event: JSON.stringify({ ...inputOf(mark), project: place.project }) })
        if (!isWritten) await all.exec()
        isWritten = true
        // Nobody answers it: it looks by itself whether it is far ahead of the processors.
        while ((await client.xLen(key)) > MOST_WAITING) await later(AGAIN_MS)
        return
      } catch {
        repeated()
      } finally {
        client.destroy()
      }
    }
  })
}

function produce(name: string, { number, observer, allowance }: ProducerPlace, handIn: (marks: Mark[], repeated: () => void) => Promise<void>): Producer {
  let next = 0
  let repeats = 0
  const end = new AbortController()
  const work = async () => {
    while (!end.signal.aborted) {
      const count = Math.min(BATCH, allowance())
      if (count === 0) {
        await later(5)
        continue
      }
      const marks = Array.from({ length: count }, (_, at) => markOf(number, next + at))
      next += count
      for (const mark of marks) (isForbidden(mark) ? observer.forbidden : observer.published).call(observer, mark)
      await handIn(marks, () => void repeats++)
    }
  }
  const done = work()
  return {
    name,
    handedIn: () => next,
    repeats: () => repeats,
    finish() {
      end.abort()
      return done
    },
  }
}

/** Until each of them is acknowledged or refused for good. */
async function insist(marks: Mark[], send: Send, { project, observer, journals, halt }: ProducerPlace, repeated: () => void): Promise<void> {
  const settle = (mark: Mark, answer: Answer<PublishResult> | undefined): boolean => {
    if (answer?.ok) journals.acked(mark, project, answer.offset!)
    else if (answer && !answer.error.retryable) observer.refused(mark, answer.error.code)
    else return false
    return true
  }
  for (let open = marks; !halt.aborted; repeated()) {
    const answers = await send(open.map(inputOf)).catch(() => [])
    open = open.filter((mark, at) => !settle(mark, answers[at]))
    if (open.length === 0) return
    await later(AGAIN_MS)
  }
}

function later(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
