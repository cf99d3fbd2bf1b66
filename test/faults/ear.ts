/** One subscriber's hearing: what any of its connections is told goes to the checker, and its cursor says where the next one goes on. */
import { parseCursor, type Gap, type SubscribeResult } from '@hubbub/protocol'
import { markOfId, PROJECTS, traitsOf, type Traits } from './events.js'
import { producerOf, type Observer } from './observer.js'

/** What is asked for, in the words of `subscribe`; and the same as a judgement of an event. */
export interface Taste {
  topics: string[]
  types?: string[]
  filter?: Record<string, number>
  takes(traits: Traits): boolean
}

export class Ear {
  /** The last place up to which everything came. */
  cursor: string
  heard = 0
  gaps = 0
  /** What went wrong that no invariant speaks of: a refused credential, a message that is none. */
  readonly complaints: string[] = []
  private readonly number: number
  private hasConnected = false
  private isForgotten = false

  /** @param from cursor behind which it hears */
  constructor(readonly name: string, readonly project: string, readonly taste: Taste, from: string, private readonly observer: Observer, private readonly projectOf: (producer: number) => string | undefined) {
    this.number = observer.subscriber(name, { project, wants: (mark) => taste.takes(traitsOf(mark)) })
    this.cursor = from
    observer.began(this.number, offsetOf(from))
  }

  event(id: string, cursor: string): void {
    this.cursor = cursor
    const mark = markOfId(id)
    if (mark === undefined) return
    this.heard++
    // Whose it is says its producer, not the connection: another project's must be seen as that.
    this.observer.delivered(this.number, this.projectOf(producerOf(mark)) ?? PROJECTS[0]!, mark, offsetOf(cursor))
  }

  gap(gap: Gap): void {
    this.gaps++
    this.cursor = gap.to
    this.observer.gap(this.number, gap)
  }

  /** Its session is known no more (I8). It goes on by its cursor; the answer to that says where it begins anew. */
  forgotten(gap: Gap): void {
    this.gaps++
    this.isForgotten = true
    this.observer.gap(this.number, gap)
  }

  /** The answer to a subscription behind its cursor. */
  answered({ gap, events = [], cursor }: SubscribeResult): void {
    if (this.isForgotten) {
      this.isForgotten = false
      this.observer.began(this.number, offsetOf(gap?.to ?? this.cursor))
    } else if (gap) this.gap(gap)
    for (const placed of events) this.event(placed.event.id, placed.cursor)
    this.cursor = cursor
  }

  /** Its connection stands again, on this worker; the first is no return. */
  connected(worker: string): void {
    if (this.hasConnected) this.observer.resumed(this.number, worker)
    this.hasConnected = true
  }

  complain(what: string): void {
    if (this.complaints.length < 100) this.complaints.push(what)
  }
}

function offsetOf(cursor: string): string {
  const parsed = parseCursor(cursor)
  if (!parsed) throw new Error(`no cursor: ${cursor.slice(0, 80)}`)
  return parsed.offset
}
