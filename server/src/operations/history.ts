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
  const { tail } = await fanout.lane(project)
  const start = parseSince(request.since ?? 'all')
  const limits = { events: Math.min(request.limit ?? DEFAULT_LIMIT, settings.pageEvents), bytes: settings.pageBytes }
  const until = Date.now() + (request.wait ?? 0) * 1000
  let { last, epochs } = await journal.head(tail.partition)
  const place = await locate(start, journal, tail.partition, project, interest, last)
  let after = place.after
  for (;;) {
    const backfill: Backfill = compareOffsets(after, last) < 0
      ? await readBackfill({ journal, partition: tail.partition }, project, interest, after, last, limits)
      : { entries: [], reached: after, more: false }
    const waited = Date.now() >= until || signal.aborted
    if (backfill.entries.length > 0 || place.gap || backfill.gap || waited) return answer(backfill, epochs, place.gap)
    after = backfill.reached
    await moved(tail, last, until - Date.now(), signal)
    ;({ last, epochs } = await journal.head(tail.partition))
  }
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

/** Until the tail is beyond `last`, the time is up, or the caller has gone. */
async function moved(tail: { flushed: Offset; nextMove(): Promise<void> }, last: Offset, ms: number, signal: AbortSignal): Promise<void> {
  if (compareOffsets(tail.flushed, last) > 0) return
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
