/**
 * Topics' entries without an index, which outlives its topic's last entry by twice the retention age only, while the journal keeps
 * its last entries for as long as they are among the last: the journal itself is looked through, a bounded step at a time.
 */
import { isAfter, offsetMillis, type HubEvent, type Offset } from '@hubbub/protocol'
import { topicKey, type JournalEntry, type JournalPage } from '../port.js'
import type { RedisContext } from './context.js'
import { entriesOf, textsOf } from './reply.js'
import { SCRIPTS } from './scripts.js'

/** Bytes of events in one answer. */
export const PAGE_BYTES = 1_048_576
const STEP_ENTRIES = 5000
/** Bytes that one step looks at. */
const STEP_BYTES = 4_194_304

interface Step {
  floor: Offset
  /** Last offset looked at; undefined at the range's end. */
  stopped?: Offset
  entries: JournalEntry[]
}

/** One step; `reached` says how far it came. */
export async function scanForward(context: RedisContext, partition: number, topics: readonly string[], after: Offset, upTo: Offset, count: number): Promise<JournalPage> {
  const { floor, stopped, entries } = await look(context, partition, topics, ['forward', `(${after}`, upTo], count)
  return { entries, reached: stopped ?? upTo, floor }
}

/**
 * Completes `found` (newest first) to `count` entries, or to the floor. `old`: from that ms on (and back) no index was asked.
 */
export async function scanBack(
  context: RedisContext, partition: number, topics: readonly string[], upTo: Offset, count: number, found: JournalEntry[], old: string,
): Promise<JournalPage> {
  const oldest = found.at(-1)
  // The clock moved on between the steps before, so `old` may lie among what was found.
  let from = old
  if (oldest) from = offsetMillis(oldest.offset) <= Number(old) ? `(${oldest.offset}` : old
  else if (offsetMillis(upTo) < Number(old)) from = upTo
  for (;;) {
    const step = await look(context, partition, topics, ['backward', from, '-'], count - found.length)
    found.push(...step.entries.filter(({ offset }) => !isAfter(offset, upTo)))
    if (found.length >= count || step.stopped === undefined) return { entries: found.slice(0, count).reverse(), reached: upTo, floor: step.floor }
    from = `(${step.stopped}`
  }
}

async function look(context: RedisContext, partition: number, topics: readonly string[], range: [direction: string, from: string, to: string], count: number): Promise<Step> {
  const keys = context.keys(partition)
  const wanted = new Set(topics)
  const needles = [...wanted].map((key) => JSON.stringify(key.slice(key.indexOf('/') + 1)))
  const args = [...range, String(count), String(STEP_ENTRIES), String(STEP_BYTES), ...needles]
  const reply = textsOf(await context.run('scan', SCRIPTS.scan, [keys.commit, keys.journal], args))
  const entries = entriesOf(reply, 2).filter(({ event }) => carries(event, wanted))
  return { floor: reply[0]!, stopped: reply[1] === '' ? undefined : reply[1], entries }
}

function carries(event: string, wanted: ReadonlySet<string>): boolean {
  const { project, topics } = JSON.parse(event) as HubEvent
  return topics.some((topic) => wanted.has(topicKey(project, topic)))
}
