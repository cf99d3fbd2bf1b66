/**
 * How a process that stops takes leave of its clients. Each is told when to go, and closed a moment after that, in groups spread over some
 * time: the workers that go on would otherwise be asked for everybody at once.
 *
 *     open ------> noticed ------> refusing ------> over
 *          SIGTERM: not ready;     told, and closed  nobody is left:
 *          the balancer notices    one by one        requests under way end
 */
import { setMaxListeners } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import type { Draining } from '@hubbub/protocol'
import type { Settings } from '../settings/table.js'
import { atMost } from './patience.js'

export type DrainStage = 'open' | 'noticed' | 'refusing' | 'over'

/** One connection, of whatever wire. */
export interface Departing {
  readonly isHere: boolean
  /** Tells its client, where there is a word for it. */
  warn(notice: Draining): void
  /** Ends it so that its client comes back. Resolves when what it is owed was written, or that takes too long; never rejects. */
  depart(): Promise<void>
}

type DrainSettings = Pick<Settings, 'drainMs' | 'drainNoticeMs' | 'drainSpreadMs' | 'connectRate'>

/** Clients that go by themselves are a little ahead of being closed, ms. */
const LEEWAY_MS = 100
/** Between two groups, ms. */
const STEP_MS = 20
/** Whoever is behind catches up so much faster than planned, and for this long of what was missed, ms. */
const HASTE = 1.25
const LONGEST_STEP_MS = 100
/** Told in one turn: 20,000 at once would hold up what the others are sent. */
const TOLD_AT_ONCE = 500
/** What is owed to those who were closed last, ms. */
const LAST_MS = 2000
/** Share of the time without the notice; the rest is for what comes after. */
const SPREAD_SHARE = 0.6
/** Where HUBBUB_CONNECT_RATE sets no pace, connections/s. */
const GENTLE_RATE = 300

export class Drainage {
  stage: DrainStage = 'open'
  private readonly ending = new AbortController()

  constructor(private readonly settings: DrainSettings) {
    // Every request that waits listens; Node would warn of a leak at the eleventh.
    setMaxListeners(0, this.ending.signal)
  }

  /** New connections go to other workers. */
  get refuses(): boolean {
    return this.stage === 'refusing' || this.stage === 'over'
  }

  /** Aborted when nobody is waited for any more: requests that wait for something are answered with what there is. */
  get over(): AbortSignal {
    return this.ending.signal
  }

  /** @param everybody asked for once new connections are refused; and again, for those who were on their way in then */
  async run(everybody: () => Departing[]): Promise<void> {
    if (this.stage !== 'open') return
    this.stage = 'noticed'
    if (this.settings.drainNoticeMs > 0) await pause(this.settings.drainNoticeMs)
    this.stage = 'refusing'
    const present = everybody()
    await takeLeave(present, spreadOf(this.settings, present.length))
    await Promise.all(everybody().map((late) => late.depart()))
    this.stage = 'over'
    this.ending.abort()
  }
}

/** ms: a few are gone at once, whatever the settings; many at a pace that one other worker alone could take twice over, if there is time. */
export function spreadOf({ drainMs, drainNoticeMs, drainSpreadMs, connectRate }: DrainSettings, connections: number): number {
  const most = drainSpreadMs > 0 ? drainSpreadMs : Math.max(0, drainMs - drainNoticeMs) * SPREAD_SHARE
  return Math.min(most, (connections * 2000) / (connectRate > 0 ? connectRate : GENTLE_RATE))
}

/** In an order of chance. Resolves when all are gone, or were told to go and do not. */
async function takeLeave(everybody: readonly Departing[], spreadMs: number): Promise<void> {
  const order = shuffled(everybody)
  const begunAt = performance.now()
  const turnOf = (at: number) => (at * spreadMs) / order.length
  for (const [at, one] of order.entries()) {
    if (at > 0 && at % TOLD_AT_ONCE === 0) await pause(0)
    const reconnectInMs = Math.max(0, Math.round(turnOf(at) - (performance.now() - begunAt)))
    if (one.isHere) one.warn({ reconnectInMs, deadlineMs: reconnectInMs + LEEWAY_MS })
  }
  const leaving: Promise<void>[] = []
  const perMs = (HASTE * order.length) / Math.max(1, spreadMs)
  let steppedAt = begunAt
  for (let at = 0; at < order.length; ) {
    const now = performance.now()
    // After a time in which nothing ran, those who should have gone do not go all at once.
    const most = Math.ceil(perMs * Math.min(now - steppedAt, LONGEST_STEP_MS))
    steppedAt = now
    for (let gone = 0; at < order.length && gone < most && turnOf(at) + LEEWAY_MS <= now - begunAt; at++) {
      if (!order[at]!.isHere) continue
      leaving.push(order[at]!.depart())
      gone++
    }
    while (at < order.length && !order[at]!.isHere) at++
    if (at < order.length) await pause(STEP_MS)
  }
  await atMost(LAST_MS, Promise.all(leaving))
}

function shuffled<T>(list: readonly T[]): T[] {
  const order = [...list]
  for (let at = order.length - 1; at > 0; at--) {
    const other = Math.floor(Math.random() * (at + 1))
    ;[order[at], order[other]] = [order[other]!, order[at]!]
  }
  return order
}
