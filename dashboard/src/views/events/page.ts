/**
 * One page of what the journal holds: as much as the hub puts into one answer (1,000 events or 1 MB), so that a visitor who looks at the
 * past holds no more of it than that, however long it is.
 */
import type { Client, Cursor, Gap, HubEvent, Since } from '@hubbub/client'

export interface Asked {
  readonly topics: string[]
  readonly types?: string[]
}

export interface Placed {
  event: HubEvent
  cursor: Cursor
}

export interface JournalPage {
  events: Placed[]
  /** Told before the events. */
  gap: Gap | undefined
  /** Where to go on. */
  cursor: Cursor | undefined
  /** There was no more when it was read. */
  isEnd: boolean
}

/** Rejects with the hub's refusal. */
export async function readPage(client: Client, asked: Asked, since: Since): Promise<JournalPage> {
  const subscription = await client.subscribe({ ...asked, since })
  const page: JournalPage = { events: [], gap: undefined, cursor: undefined, isEnd: false }
  subscription.onGap((gap) => (page.gap = gap))
  subscription.live().then(() => (page.isEnd = true), () => undefined)
  subscription.on((event, { cursor }) => page.events.push({ event, cursor }))
  page.cursor = subscription.cursor
  // Whether it was the last page is known with the answer, and told in the next turn.
  await Promise.resolve()
  const isEnd = page.isEnd
  await subscription.unsubscribe()
  return { ...page, isEnd }
}

/** A cursor is opaque but for its time, which is the journal's. ms since the epoch */
export function timeOf(cursor: Cursor): number | undefined {
  const ms = Number(/\.(\d+)-\d+$/.exec(cursor)?.[1])
  return Number.isFinite(ms) && ms > 0 ? ms : undefined
}
