/** What the primary and its processes say to each other, over the channel that Node keeps between them (serialization: advanced). */
import type { Socket } from 'node:net'
import type { MetricObjectWithValues, MetricValue } from 'prom-client'

export type SeatRole = 'worker' | 'processor'

/** Where a process of the machine sits: given to it at its start, by its environment. */
export interface Berth {
  role: SeatRole
  /** In logs, metrics and leases. No two processes have the same, not even one after the other: leases are held by name. */
  node: string
  /** Folder of the lanes; see `lanes.ts`. */
  lanes: string
}

export type Figures = MetricObjectWithValues<MetricValue<string>>[]

export type ToPrimary =
  | { kind: 'ready' }
  /** It could not start: one line for people, and its exit code. */
  | { kind: 'failed'; line: string; code: number }
  /** A connection arrived, so the process is awake. */
  | { kind: 'took'; number: number }
  /** With a socket: an upgrade that belongs to another process. */
  | { kind: 'carry'; number: number }
  /** It is read here no more; whose it is, and the request as it came. */
  | { kind: 'carried'; number: number; to: number; first: Buffer }
  | { kind: 'figures'; query: number; figures: Figures }
  /** All connections up to this one arrived before, or are lost. */
  | { kind: 'stock'; number: number }

export type ToProcess =
  /** With a socket. Carried once, it is not carried again, and begins when it is said to. */
  | { kind: 'connection'; number: number; isCarried: boolean }
  /** A carried connection is read by nobody else any more; what was read of it. */
  | { kind: 'begin'; number: number; first: Buffer }
  | { kind: 'figures'; query: number }
  /** Sent behind a connection, and answered as it is. */
  | { kind: 'stock'; number: number }

/** Variable of the environment that holds the berth, as JSON. */
const BERTH = 'HUBBUB_BERTH'

export function berthAsEnv(berth: Berth): Record<string, string> {
  return { [BERTH]: JSON.stringify(berth) }
}

/** Undefined where nobody gave one. */
export function berthOf(env: Record<string, string | undefined>): Berth | undefined {
  const text = env[BERTH]
  return text === undefined ? undefined : (JSON.parse(text) as Berth)
}

/** To the primary. It may just have died, which `disconnect` tells; that a message got lost then is no news. */
export function tellPrimary(message: ToPrimary): void {
  if (process.connected) process.send!(message, undefined, {}, () => undefined)
}

let carried = 0

/**
 * An upgrade for process `to`, by way of the primary. As long as two processes have a socket both read it, and what comes goes to either: so it
 * begins there when it is closed here and in the primary. Until then nothing comes, for its client waits for an answer.
 */
export function carryTo(to: number, first: Buffer, socket: Socket): void {
  const number = ++carried
  socket.on('error', () => socket.destroy())
  if (!process.connected) return void socket.destroy()
  process.send!({ kind: 'carry', number } satisfies ToPrimary, socket, { keepOpen: true }, () => {
    socket.destroy()
    tellPrimary({ kind: 'carried', number, to, first })
  })
}
