/** What a page saw, for the tests to look at. */
import type { connect, Client } from '@hubbub/client'

export interface Seen {
  /** Ids of events or messages, as handlers were given them. */
  heard: string[]
  /** Each state that was rendered, in order. */
  states: string[]
  /** Renderings that reached the page. */
  commits: number
  gaps: number
  errors: string[]
}

export interface Stagehand {
  seen: Seen
  /** Renders again with arguments that are written anew, and mean the same. */
  again(): void
  /** The other one of a scene that has two shapes. */
  toggle(): void
  unmount(): void
  mount(): void
  connect: typeof connect
  /** The provider's, once something was mounted. */
  client?: Client
}

declare global {
  // oxlint-disable-next-line no-var
  var stage: Stagehand
}

export function emptySeen(): Seen {
  return { heard: [], states: [], commits: 0, gaps: 0, errors: [] }
}
