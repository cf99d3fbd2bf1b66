/**
 * Topics whose watchers somebody wants to know. The hub tells of changes for as long as a connection lasts, so every new one asks
 * again; what changed in between is told as one more `presence.changed`.
 */
import { HubError, type PresenceChange, type PresenceResult, type Signal } from '@hubbub/protocol'
import type { Calls } from './calls.js'
import { isPresenceChange } from './forms.js'

export interface PresencesDeps {
  calls: Calls
  tell(signal: Signal): void
  trouble: (error: HubError) => void
}

/** Who watches a topic, as far as it was told. */
interface Known {
  subjects: Set<string>
  /** There are more of them, not named. */
  isPartial: boolean
}

const CHANGED = 'presence.changed'
/** As of the hub itself: nobody else may tell who watches. */
const HUB = '/hub'

export class Presences {
  readonly #watched = new Map<string, Known>()
  /** Raised with each connection: what was asked on an older one is void. */
  #round = 0

  constructor(private readonly deps: PresencesDeps) {
    deps.calls.onOpened(() => this.#renew())
  }

  /** Rejects with the hub's refusal, or UNAVAILABLE without a connection. */
  async ask(topic: string, watch: boolean | undefined): Promise<PresenceResult> {
    const request = { topic, ...(watch !== undefined && { watch }) }
    // Whatever becomes of the request: the next connection must not ask again.
    if (watch === false) this.#watched.delete(topic)
    return await this.deps.calls.now('presence', request, (answer) => {
      // Once more: the answer to an older question may have come in between.
      if (watch === false) this.#watched.delete(topic)
      // In the answer's own turn: what is signalled right behind it is a change of it.
      else if (answer.ok) this.#watched.set(topic, knownOf(answer))
    })
  }

  /** Looks at every signal that comes; most are about something else. */
  heard({ topic, name, source, data }: Signal): void {
    const known = name === CHANGED && source === HUB ? this.#watched.get(topic) : undefined
    if (!known || !isPresenceChange(data)) return
    const { joined, left, more } = data
    for (const subject of joined) known.subjects.add(subject)
    for (const subject of left) known.subjects.delete(subject)
    known.isPartial ||= more !== undefined
  }

  #renew(): void {
    const round = ++this.#round
    for (const topic of this.#watched.keys()) void this.#askAgain(topic, round)
  }

  async #askAgain(topic: string, round: number): Promise<void> {
    const { calls, trouble } = this.deps
    for (let attempt = 0; round === this.#round && this.#watched.has(topic) && calls.isOpen; ) {
      try {
        await calls.now('presence', { topic }, (answer) => {
          const before = this.#watched.get(topic)
          if (!answer.ok || !before || round !== this.#round) return
          const after = knownOf(answer)
          this.#watched.set(topic, after)
          this.#tellOf(topic, before, after)
        })
        return
      } catch (error) {
        if (!(error instanceof HubError) || round !== this.#round || !calls.isOpen) return
        trouble(error)
        if (!error.retryable) return void this.#watched.delete(topic)
        await calls.pause(calls.delay(error, attempt++)).catch(() => undefined)
      }
    }
  }

  #tellOf(topic: string, before: Known, after: Known): void {
    const joined = [...after.subjects].filter((subject) => !before.subjects.has(subject))
    // Who is not named may still be there.
    const left = after.isPartial ? [] : [...before.subjects].filter((subject) => !after.subjects.has(subject))
    const isUnsure = after.isPartial || before.isPartial
    if (joined.length === 0 && left.length === 0 && !isUnsure) return
    const data: PresenceChange = { joined, left, ...(isUnsure && { more: 1 }) }
    this.deps.tell({ topic, name: CHANGED, data, source: HUB, timestamp: Date.now() })
  }
}

function knownOf({ watchers, more }: PresenceResult): Known {
  return { subjects: new Set(watchers.map(({ subject }) => subject)), isPartial: more !== undefined }
}
