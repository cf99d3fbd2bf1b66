/** One answer from the journal, without a subscription; optionally waits for the first event (long-poll). */
import { compareOffsets, parseSince, type HistoryResult, type Offset } from '@hubbub/protocol'
import { checkHistory } from '@hubbub/protocol/catalogue'
import type { Identity } from '../access/identity.js'
import { cursorBehind, locate, readBackfill, type Backfill } from '../fanout/backfill.js'
import type { Fanout } from '../fanout/fanout.js'
import type { Settings } from '../settings/table.js'
import type { Journal } from '../store/port.js'
import { grantedInterest } from './interest.js'

const DEFAULT_LIMIT = 100

export interface HistoryDeps {
  journal: Journal
  fanout: Fanout
  settings: Settings
}

/** Reads up to the journal's last commit, so that whoever was just told of a commit finds it (I4). Rejects with `HubError`. */
export async function history(deps: HistoryDeps, identity: Identity, input: unknown, signal: AbortSignal): Promise<HistoryResult> {
  const { journal, fanout, settings } = deps
  const request = checkHistory(input, settings)
  const interest = grantedInterest(identity, request)
  const { project } = identity
  const start = parseSince(request.since ?? 'all')
  const limits = { events: Math.min(request.limit ?? DEFAULT_LIMIT, settings.pageEvents), bytes: settings.pageBytes }
  const { tail } = await fanout.lane(project)
  const { partition } = tail
  const { last, epochs } = await journal.head(partition)
  const { after, gap } = await locate(start, journal, partition, project, interest, last)
  let backfill: Backfill = { entries: [], reached: after, more: false }
  if (compareOffsets(after, last) < 0) backfill = await readBackfill({ journal, partition }, project, interest, after, last, limits)
  // Waiting costs the store nothing: what comes is looked for in this worker's window.
  const until = Date.now() + (gap ? 0 : (request.wait ?? 0) * 1000)
  while (backfill.entries.length === 0 && !backfill.gap && Date.now() < until && !signal.aborted) {
    await moved(tail, backfill.reached, until - Date.now(), signal)
    if (compareOffsets(backfill.reached, tail.flushed) >= 0) continue
    backfill = await readBackfill({ journal, partition, window: tail.window }, project, interest, backfill.reached, tail.flushed, limits)
  }
  return answer(backfill, backfill.reached === last ? epochs : [...tail.epochs], gap)
}

function answer(backfill: Backfill, epochs: Parameters<typeof cursorBehind>[1], gap: HistoryResult['gap']): HistoryResult {
  const result: HistoryResult = {
    events: backfill.entries.map((entry) => ({ event: entry.event, cursor: entry.cursor })),
    cursor: cursorBehind(backfill, epochs),
    more: backfill.more,
  }
  const told = gap ?? backfill.gap
  if (told) result.gap = told
  return result
}

/** Until the tail is beyond the offset, the time is up, or the caller has gone. */
async function moved(tail: { flushed: Offset; nextMove(): Promise<void> }, reached: Offset, ms: number, signal: AbortSignal): Promise<void> {
  if (compareOffsets(tail.flushed, reached) > 0) return
  let timer: NodeJS.Timeout | undefined
  let gone: (() => void) | undefined
  const bound = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, Math.max(0, ms))
    gone = resolve
    signal.addEventListener('abort', gone, { once: true })
  })
  await Promise.race([tail.nextMove(), bound])
  clearTimeout(timer)
  if (gone) signal.removeEventListener('abort', gone)
}
