/** Reading the state in memory: pages end where those of `redis/lua/select.lua` do. */
import type { Kind } from '@hubbub/protocol'
import type { Selection, Selector, StateStore, StoredEntity } from '../entities.js'
import { pageBegin, pageToken, PLACES_A_PAGE } from '../page-token.js'
import type { MemoryContext } from './context.js'
import type { MemoryState } from './entities.js'

export function stateStore(context: MemoryContext): StateStore {
  return {
    async select(number, project, selectors, limits) {
      const { state, last, epochs } = context.partition(number)
      const begin = pageBegin(limits.after, selectors)
      const page = new Page(state, project, limits)
      const selection: Selection = { last, epoch: epochs.at(-1)!.nonce, entities: page.entities }
      for (let at = begin.selector; at < selectors.length; at++) {
        const behind = page.read(selectors[at]!, at === begin.selector ? begin.behind : '')
        if (behind !== undefined) return { ...selection, next: pageToken({ selector: at, behind }) }
      }
      return selection
    },
    async counts(number, project, kind, terms) {
      const { state } = context.partition(number)
      return terms.map((term) => state.index(project, kind, term)?.size ?? 0)
    },
    async due(number, count) {
      const { state } = context.partition(number)
      const now = Date.now()
      const timers: { name: string; due: number }[] = []
      for (const timer of state.due()) {
        if (timer.due > now || timers.length >= count) return { now, timers, next: timer.due }
        timers.push(timer)
      }
      return { now, timers }
    },
  }
}

class Page {
  readonly entities: StoredEntity[] = []
  private bytes = 0
  private looked = 0

  constructor(private readonly state: MemoryState, private readonly project: string, private readonly limits: { count: number; bytes: number }) {}

  /** Where a limit ended it, as `PageEnd.behind`. */
  read(selector: Selector, behind: string): string | undefined {
    return 'ids' in selector ? this.readIds(selector, Number(behind)) : this.readIndex(selector, behind)
  }

  private readIds({ kind, ids }: Extract<Selector, { ids: unknown }>, passed: number): string | undefined {
    for (let at = passed; at < ids.length; at++) if (!this.take(kind, ids[at]!)) return String(at)
    return undefined
  }

  private readIndex({ kind, term, newestFirst, prefix = '' }: Extract<Selector, { term: string }>, behind: string): string | undefined {
    const index = this.state.index(this.project, kind, term)
    if (!index) return undefined
    let passed = behind
    let shown = behind
    for (const place of newestFirst ? index.before(behind || undefined) : index.behind(behind)) {
      const id = place.slice(16)
      if (id.startsWith(prefix)) {
        if (!this.take(kind, id)) return shown
        shown = place
      } else if (this.looked >= PLACES_A_PAGE && passed !== '' && place.slice(0, 15) !== passed.slice(0, 15)) {
        // The border of a millisecond: behind all of its places, or before them. '!' follows the blank.
        return passed.slice(0, 15) + (newestFirst ? '' : '!')
      }
      this.looked++
      passed = place
    }
    return undefined
  }

  /** False: there is one more than the limits let in. */
  private take(kind: Kind, id: string): boolean {
    const found = this.state.entity(this.project, kind, id)
    if (!found) return true
    const bytes = Buffer.byteLength(found.json)
    if (this.entities.length > 0 && (this.entities.length >= this.limits.count || this.bytes + bytes > this.limits.bytes)) return false
    this.entities.push({ kind, id, ...found })
    this.bytes += bytes
    return true
  }
}
