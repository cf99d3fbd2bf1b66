/** Looking back through the journal, in steps short enough that Redis holds up nobody. */
import { readOrigin, type Provenance, type TracedEntry } from '../provenance.js'
import type { RedisContext } from './context.js'
import { textsOf } from './reply.js'
import { SCRIPTS } from './scripts.js'

/** Of events that one step looks at. */
const STEP_BYTES = 1_048_576

export function provenance(context: RedisContext): Provenance {
  return {
    async at(partition, offset) {
      const { journal } = context.keys(partition)
      const [found] = (await context.call('provenance.at', journal, (client) => client.xRange(journal, offset, offset))) ?? []
      return found ? traced(found.id, found.message) : null
    },
    async look(partition, { by, ids, from, count }) {
      const edge = from === undefined ? (by === 'id' ? '+' : '-') : `(${from}`
      const args = [by, edge, by === 'id' ? '-' : '+', String(count), String(STEP_BYTES), ...ids.map((id) => JSON.stringify(id))]
      const [looked, reached, end, ...flat] = textsOf(await context.run('look', SCRIPTS.look, [context.keys(partition).journal], args))
      const found: TracedEntry[] = []
      for (let at = 0; at + 4 < flat.length; at += 5) {
        found.push(traced(flat[at]!, { event: flat[at + 1]!, prev: flat[at + 2]!, epoch: flat[at + 3]!, origin: flat[at + 4]! }))
      }
      return { found, looked: Number(looked), ...(reached !== '' && { reached: reached! }), isEnd: end === '1' }
    },
    async ownerOf(partition, epoch) {
      const { owners } = context.keys(partition)
      return (await context.call('ownerOf', owners, (client) => client.hGet(owners, epoch))) ?? null
    },
  }
}

function traced(offset: string, fields: Record<string, string>): TracedEntry {
  const origin = readOrigin(fields['origin'])
  return { offset, previous: fields['prev']!, epoch: fields['epoch']!, event: fields['event']!, ...(origin && { origin }) }
}
