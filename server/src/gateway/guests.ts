/** Everybody who is connected to this worker, by whatever wire; and the rooms of those whom Socket.IO's own rooms do not reach. */
import { HubError, type Signal } from '@hubbub/protocol'
import type { Authenticator } from '../access/authenticator.js'
import type { Guest } from './guest.js'

export class Guests implements Iterable<Guest> {
  private readonly guests = new Set<Guest>()
  private readonly rooms = new Map<string, Set<Guest>>()
  private readonly stopWatching: () => void

  constructor(private readonly authenticator: Pick<Authenticator, 'isRevoked' | 'onRevocation'>) {
    this.stopWatching = authenticator.onRevocation(() => {
      for (const guest of this.guests) this.check(guest)
    })
  }

  [Symbol.iterator](): Iterator<Guest> {
    return this.guests[Symbol.iterator]()
  }

  get size(): number {
    return this.guests.size
  }

  add(guest: Guest): void {
    this.guests.add(guest)
    // Revoked while it was admitted: whoever looked through the guests then did not see it.
    this.check(guest)
  }

  remove(guest: Guest): void {
    this.guests.delete(guest)
  }

  /** `active`: with a subscription. */
  count(project?: string): { total: number; active: number } {
    const counted = [...this.guests].filter((guest) => project === undefined || guest.identity().project === project)
    return { total: counted.length, active: counted.filter((guest) => guest.connection.chosen.length > 0).length }
  }

  join(guest: Guest, room: string): void {
    const inside = this.rooms.get(room)
    if (inside) inside.add(guest)
    else this.rooms.set(room, new Set([guest]))
  }

  part(guest: Guest, room: string): void {
    const inside = this.rooms.get(room)
    inside?.delete(guest)
    if (inside?.size === 0) this.rooms.delete(room)
  }

  /** Once to each, in however many of the rooms it is. */
  deliver(rooms: readonly string[], signal: Signal): void {
    const reached = new Set<Guest>()
    for (const room of rooms) for (const guest of this.rooms.get(room) ?? []) reached.add(guest)
    for (const guest of reached) guest.signal(signal)
  }

  close(): void {
    this.stopWatching()
  }

  private check(guest: Guest): void {
    if (this.authenticator.isRevoked(guest.identity())) guest.end(new HubError('AUTH_REVOKED'))
  }
}
