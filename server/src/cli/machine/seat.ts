/**
 * A place of the machine that is to be filled, whatever becomes of who sits there: `w1` by a worker, `p1` by a processor.
 *
 * ```
 *   fill --> [ starting ] -- ready --> [ serving ] -- ended --> [ waiting ] -- a while --> [ starting ]
 *                  '------------------ ended, or not ready in time ---^
 *
 *   replace: a successor starts beside; once it is ready it has the seat, and its predecessor stops in order
 * ```
 */
import type { Logger } from '../../observe/log.js'
import type { SeatRole } from './messages.js'
import { endInWords, type End, type Occupant } from './occupant.js'
import { afterEnd, CLEAN, type Sheet } from './restarts.js'

export interface SeatDeps {
  /** Starts a process for the seat; `turn` counts them from 1. */
  start: (seat: Seat, turn: number) => Occupant
  ready: (seat: Seat) => void
  /** One ended before it was ready; `isHopeless`: so often in a row that the next would do no better. Answers whether the machine ends with it. */
  failed: (seat: Seat, end: End, isHopeless: boolean) => boolean
  /** A process that is not ready by then is ended, ms. */
  startMs: number
  /** What an orderly stop may take, ms. */
  stopMs: number
  log: Logger
}

export class Seat {
  /** Who has it; may not be ready yet. */
  private occupant?: Occupant
  private successor?: Occupant
  /** Those before, until they are gone. */
  private readonly leaving = new Set<Occupant>()
  private sheet: Sheet = CLEAN
  private turns = 0
  private waiting?: NodeJS.Timeout
  private isClosing = false

  constructor(readonly name: string, readonly role: SeatRole, private readonly deps: SeatDeps) {}

  /** Who serves here, if anybody does. */
  get serving(): Occupant | undefined {
    return this.occupant?.isReady ? this.occupant : undefined
  }

  /** All processes of the seat. */
  get all(): Occupant[] {
    return [this.occupant, this.successor, ...this.leaving].filter((one) => one !== undefined)
  }

  /** Starts a process, and another one whenever it ends. */
  fill(): void {
    const occupant = (this.occupant = this.start())
    void occupant.ended.then((end) => this.vacated(occupant, end))
    void this.comesUp(occupant).then((isUp) => {
      if (!isUp) return
      this.deps.log.info({ seat: this.name, pid: occupant.pid }, 'process is ready')
      this.deps.ready(this)
    })
  }

  /** Another process in the place of the one that serves. Answers why not, when there was none to be had; the old one then stays. */
  async replace(): Promise<string | undefined> {
    const next = (this.successor = this.start())
    const isUp = await this.comesUp(next)
    this.successor = undefined
    if (!isUp || this.isClosing) {
      // Its predecessor died meanwhile, and the seat waited for nobody but this one.
      if (this.occupant === undefined && !this.isClosing) this.fill()
      return isUp ? 'the machine stops' : `${this.name}: ${endInWords(await next.ended)}`
    }
    const before = this.occupant
    clearTimeout(this.waiting)
    this.occupant = next
    this.sheet = CLEAN
    void next.ended.then((end) => this.vacated(next, end))
    this.deps.log.info({ seat: this.name, pid: next.pid, before: before?.pid }, 'process took over')
    if (before) await this.retire(before)
    return undefined
  }

  /** No more processes here; resolves when the last one is gone, with whether all ended in order. */
  async stop(withinMs: number): Promise<boolean> {
    this.isClosing = true
    clearTimeout(this.waiting)
    const ends = await Promise.all(this.all.map((one) => one.stop(withinMs)))
    // Who was not up yet has nothing to put in order.
    return ends.every(({ code, servedMs }) => code === 0 || servedMs === undefined)
  }

  /** At once. */
  kill(): void {
    this.isClosing = true
    clearTimeout(this.waiting)
    for (const one of this.all) one.signal('SIGKILL')
  }

  private start(): Occupant {
    return this.deps.start(this, ++this.turns)
  }

  private async comesUp(occupant: Occupant): Promise<boolean> {
    const slow = setTimeout(() => {
      this.deps.log.error({ seat: this.name, pid: occupant.pid }, `process is not ready after ${this.deps.startMs} ms (HUBBUB_START_MS) and is ended`)
      occupant.signal('SIGKILL')
    }, this.deps.startMs)
    const isUp = await occupant.isUp
    clearTimeout(slow)
    return isUp
  }

  private async retire(occupant: Occupant): Promise<void> {
    this.leaving.add(occupant)
    await occupant.settled()
    const end = await occupant.stop(this.deps.stopMs)
    this.leaving.delete(occupant)
    if (end.code !== 0) this.deps.log.warn({ seat: this.name, pid: occupant.pid }, `process did not stop in order: ${endInWords(end)}`)
  }

  private vacated(occupant: Occupant, end: End): void {
    if (this.isClosing || occupant !== this.occupant) return
    this.occupant = undefined
    const verdict = afterEnd(this.sheet, end.servedMs)
    this.sheet = verdict.sheet
    if (end.servedMs === undefined && this.deps.failed(this, end, verdict.isHopeless)) return
    this.deps.log.warn({ seat: this.name, pid: occupant.pid, code: end.code, signal: end.signal, againInMs: verdict.waitMs }, `process ended: ${endInWords(end)}`)
    // A successor is on its way: the seat is its.
    if (this.successor) return
    this.waiting = setTimeout(() => this.fill(), verdict.waitMs)
  }
}
