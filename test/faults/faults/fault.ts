/** What a fault is, to the schedule. */
import type { FaultKind } from '../observer.js'
import type { Random } from '../random.js'
import type { World } from '../world.js'

/** One fault of a kind: drawn by chance from what the world is made of, never from how it is at the moment. */
export interface Injury {
  /** Whom it hits and how, for the report; of `slow-client` the subscriber's name. */
  what: string
  /** Parts that no other fault may touch meanwhile. */
  holds: readonly string[]
  /** ms between its beginning and its healing. */
  lastsMs: number
  /** Answers how to heal it, which resolves when the part works again. */
  begin(): Promise<() => Promise<void>>
}

export interface Fault {
  kind: FaultKind
  draw(world: World, random: Random): Injury
}

export const REDIS = 'redis'
export const processOf = (name: string) => `process:${name}`
export const linkOf = (name: string) => `link:${name}`
export const doorOf = (name: string) => `door:${name}`

/** Mostly short; some outlast leases and every patience. */
export function freezeMs(random: Random): number {
  const share = random.next()
  if (share < 0.8) return random.integer(200, 2000)
  return share < 0.96 ? random.integer(2000, 6000) : random.integer(10_000, 30_000)
}
