/** Looking back through the journal in memory. */
import { ORIGIN, type HubEvent } from '@hubbub/protocol'
import type { Provenance, TracedEntry } from '../provenance.js'
import type { MemoryContext } from './context.js'
import type { MemoryEntry } from './partition.js'

const END = '9999999999999999-0'

export function provenance(context: MemoryContext): Provenance {
  return {
    async at(number, offset) {
      const entry = context.partition(number).journal.find(offset)
      return entry ? traced(entry) : null
    },
    async look(number, { by, ids, from, count }) {
      const { journal } = context.partition(number)
      // One more than asked for: it may be where it begins.
      const entries = by === 'id' ? journal.newest(from ?? END, count + 1).filter(({ offset }) => offset !== from) : journal.behind(from ?? ORIGIN, count)
      const looked = entries.slice(0, count)
      const wanted = new Set(ids)
      const found = looked.filter(({ event }) => (by === 'id' ? isOne(event, wanted) : follows(event, wanted)))
      const reached = looked.at(-1)?.offset
      return { found: found.map(traced), looked: looked.length, ...(reached !== undefined && { reached }), isEnd: looked.length < count }
    },
    async ownerOf(number, epoch) {
      return context.partition(number).owners.get(epoch) ?? null
    },
  }
}

function isOne(event: string, ids: ReadonlySet<string>): boolean {
  // Its id stands first: most need not be parsed.
  for (const id of ids) if (event.startsWith(`{"id":${JSON.stringify(id)}`)) return true
  return false
}

/** What is found is looked for from then on. */
function follows(event: string, ids: Set<string>): boolean {
  if (!event.includes('"causationId":')) return false
  const { id, metadata } = JSON.parse(event) as HubEvent
  if (metadata?.causationId === undefined || !ids.has(metadata.causationId)) return false
  ids.add(id)
  return true
}

function traced({ offset, previous, epoch, event, origin }: MemoryEntry): TracedEntry {
  return { offset, previous, epoch, event, origin }
}
