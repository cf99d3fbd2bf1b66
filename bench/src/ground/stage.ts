/** The processes of a scenario: started, metered, ended. */
import { setTimeout as pause } from 'node:timers/promises'
import { cpuOf } from './meters.js'
import type { EmitterOptions, EmitterOrder } from '../peers/emitter.js'
import { startChild, startRedis, type Child, type Redis } from './processes.js'
import type { CrowdLook, CrowdOrder, Seat } from '../crowd/crowd.js'

export interface Crowd {
  readonly pid: number
  open(seats: readonly Seat[], together?: number): Promise<void>
  /** Notes delays from now on, or no more. */
  time(on: boolean): Promise<void>
  look(): Promise<CrowdLook>
  /** A stock socket.io-client, which checks what it is given. */
  witness(url: string, token: string | undefined, topics: string[]): Promise<void>
  /** Ends it, once it has so many events. */
  dismiss(received: number): Promise<CrowdLook>
  /** All that keep their place hang up. */
  leave(): Promise<void>
  /** And come back to it. */
  comeBack(url: string, together: number): Promise<void>
  /** Until so many events came since it was opened. */
  received(events: number, deadlineMs?: number): Promise<CrowdLook>
}

export interface Emitter {
  readonly pid: number
  emit(order: EmitterOrder): Promise<void>
}

const DEADLINE_MS = 60_000

export class Stage {
  private readonly ends: (() => Promise<unknown>)[] = []

  /** A redis-server of one peer's own: nobody's memory is another's. */
  async redis(): Promise<Redis> {
    const redis = await startRedis()
    this.onClose(() => redis.stop())
    return redis
  }

  async start(script: string, input: object): Promise<Child> {
    const child = await startChild(script, input)
    this.onClose(() => child.stop())
    return child
  }

  /** Whatever it is asked for fails, in the name of `peer`, once an event was lost, doubled or out of order there, or a subscriber. */
  async crowd(peer: string): Promise<Crowd> {
    const child = await this.start('crowd/crowd.js', {})
    const order = async <T>(asked: CrowdOrder): Promise<T> => (child.tell(asked), (await child.next()) as T)
    const look = async (asked: CrowdOrder): Promise<CrowdLook> => {
      const seen = await order<CrowdLook>(asked)
      if (seen.faults.length > 0) throw new Error(`${peer}: ${seen.faults.join('; ')}`)
      return seen
    }
    return {
      pid: child.pid,
      open: async (seats, together) => void (await order({ order: 'open', seats: [...seats], together })),
      time: async (on) => void (await order({ order: 'time', on })),
      look: () => look({ order: 'look' }),
      witness: async (url, token, topics) => void (await order({ order: 'witness', url, token, topics })),
      dismiss: (received) => look({ order: 'dismiss', received }),
      leave: async () => void (await order({ order: 'leave' })),
      comeBack: async (url, together) => void (await order({ order: 'return', url, together })),
      received: (received, deadlineMs = DEADLINE_MS) => look({ order: 'await', received, deadlineMs }),
    }
  }

  async emitter(options: EmitterOptions): Promise<Emitter> {
    const child = await this.start('peers/emitter.js', options)
    return { pid: child.pid, emit: async (order) => (child.tell(order), void (await child.next())) }
  }

  /** Until a process has nothing left to do. */
  async quiet(pid: number): Promise<void> {
    for (let before = cpuOf(pid); ; ) {
      await pause(500)
      const now = cpuOf(pid)
      if (now - before < 0.02) return
      before = now
    }
  }

  onClose(end: () => Promise<unknown>): void {
    this.ends.push(end)
  }

  async close(): Promise<void> {
    for (const end of this.ends.splice(0).toReversed()) await end()
  }
}
