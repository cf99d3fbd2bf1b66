/** A process of the machine, as the primary sees it: from its start to its end. `child.ts` is its other side. */
import cluster, { type Worker } from 'node:cluster'
import type { Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { berthAsEnv, type Berth, type Figures, type ToPrimary, type ToProcess } from './messages.js'

export interface End {
  code: number | null
  signal: string | null
  /** How long it had been ready, ms; undefined: it never was. */
  servedMs?: number
  /** What it said about its failure. */
  line?: string
}

/** An upgrade that came to a process, and belongs to another. */
export type Carry = (to: number, first: Buffer, socket: Socket) => void

/** Nobody who is awake leaves a connection lying for so long, ms. */
const SETTLE_MS = 1000
/** Figures that are not there by then are left out, ms. */
const FIGURES_MS = 2000

export class Occupant {
  /** Connections on their way to it, by number: one that is frozen, or busy for long, takes none of them. Kept open here until then. */
  private readonly onTheWay = new Map<number, { socket: Socket; first?: Buffer }>()
  /** Upgrades that it brought, and may still read; by its number. */
  private readonly brought = new Map<number, Socket>()
  /** When it was last given one; the clock is the rotation's. */
  given = 0
  private readonly worker: Worker
  private readyAt?: number
  private line?: string
  private queries = 0
  /** Connections that it was given, ever. */
  private handed = 0
  private stocktaking?: NodeJS.Timeout
  private readonly asked = new Map<number, (figures: Figures) => void>()
  readonly ended: Promise<End>
  /** Resolves with whether it came to be ready; false: it ended before. */
  readonly isUp: Promise<boolean>

  constructor(readonly berth: Berth, carry: Carry) {
    this.worker = cluster.fork(berthAsEnv(berth))
    this.ended = new Promise((resolve) => {
      this.worker.once('exit', (code: number | null, signal: string | null) => resolve({ code, signal, servedMs: this.readyAt && Date.now() - this.readyAt, line: this.line }))
      // Without descriptors or processes to be had there is none, and so no exit. Else a channel that broke, which is told by the exit.
      this.worker.on('error', (error) => void (this.worker.process.pid === undefined && resolve({ code: null, signal: null, line: `it could not be started: ${error.message}` })))
    })
    const ready = new Promise<boolean>((resolve) => {
      this.worker.on('message', (message: ToPrimary, socket?: Socket) => {
        switch (message.kind) {
          case 'ready':
            this.readyAt = Date.now()
            return resolve(true)
          case 'failed':
            this.line = message.line
            return
          case 'took':
            return this.letGo(message.number)
          case 'stock':
            return [...this.onTheWay.keys()].filter((number) => number <= message.number).forEach((number) => this.letGo(number))
          case 'carry':
            return socket && this.brought.set(message.number, socket.on('error', () => socket.destroy()))
          case 'carried': {
            const upgrade = this.brought.get(message.number)
            this.brought.delete(message.number)
            return upgrade && carry(message.to, Buffer.from(message.first), upgrade)
          }
          case 'figures':
            return this.asked.get(message.query)?.(message.figures)
        }
      })
    })
    // What it did not take hangs on nobody.
    void this.ended.then(() => {
      for (const number of this.onTheWay.keys()) this.letGo(number)
      for (const socket of this.brought.values()) socket.destroy()
      this.brought.clear()
    })
    this.isUp = Promise.race([ready, this.ended.then(() => false)])
  }

  get id(): number {
    return this.worker.id
  }

  get pid(): number {
    return this.worker.process.pid!
  }

  get underWay(): number {
    return this.onTheWay.size
  }

  get isReady(): boolean {
    return this.readyAt !== undefined && this.worker.isConnected()
  }

  /** Hands a socket over, of which nothing was read but `first`. */
  connect(socket: Socket, first?: Buffer): void {
    const number = ++this.handed
    socket.on('error', () => socket.destroy())
    if (!this.worker.isConnected()) return void socket.destroy()
    this.onTheWay.set(number, { socket, first })
    this.stocktaking ??= setTimeout(() => this.takeStock(), SETTLE_MS).unref()
    // Kept open, for Node waits with those behind it until this one arrived, and forgets them all, open, should the process end.
    this.worker.process.send({ kind: 'connection', number, isCarried: first !== undefined } satisfies ToProcess, socket, { keepOpen: true }, (error) => void (error && this.letGo(number)))
  }

  /** What it measures. Empty when it does not answer in time. */
  async figures(): Promise<Figures> {
    const query = ++this.queries
    try {
      return await new Promise<Figures>((resolve) => {
        this.asked.set(query, resolve)
        setTimeout(() => resolve([]), FIGURES_MS).unref()
        this.send({ kind: 'figures', query })
      })
    } finally {
      this.asked.delete(query)
    }
  }

  signal(signal: NodeJS.Signals): void {
    this.worker.process.kill(signal)
  }

  /** When every connection that was handed to it arrived, or will not soon. */
  async settled(): Promise<void> {
    const until = Date.now() + SETTLE_MS
    while (this.underWay > 0 && this.isReady && Date.now() < until) await delay(5)
  }

  /** SIGTERM, and SIGKILL should that not end it in time. Resolves with its end. */
  async stop(withinMs: number): Promise<End> {
    this.signal('SIGTERM')
    const impatience = setTimeout(() => this.signal('SIGKILL'), withinMs)
    const end = await this.ended
    clearTimeout(impatience)
    return end
  }

  /** It arrived, or never will: it is not ours any more. */
  private letGo(number: number): void {
    const { socket, first } = this.onTheWay.get(number) ?? {}
    this.onTheWay.delete(number)
    socket?.destroy()
    if (first) this.send({ kind: 'begin', number, first })
  }

  /**
   * A connection for which it had no descriptor is lost, and nobody says so; counted as under way it would keep others from coming here for
   * ever. What is said comes in order, so one that is awake answers behind all that arrived.
   */
  private takeStock(): void {
    this.stocktaking = undefined
    if (this.underWay > 0) this.send({ kind: 'stock', number: this.handed })
  }

  private send(message: ToProcess): void {
    // That the channel just broke is told by the exit.
    if (this.worker.isConnected()) this.worker.process.send(message, undefined, {}, () => undefined)
  }
}

/** Why it ended, for people: what it said itself, if anything. */
export function endInWords({ line, code, signal }: End): string {
  return line ?? (signal === null ? `it ended with exit code ${code}` : `it was ended by ${signal}`)
}
