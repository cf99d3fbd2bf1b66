/** What the journal holds of a run: read page by page, folded, once. */
import type { Cursor, HistoryResult, Since } from '@hubbub/protocol'
import { isOfRun, isTerminal, type AguiEvent } from './events.js'
import { Replica } from './replica.js'

/** The operation `history`, for whoever asks. Rejects with `HubError`. */
export type History = (request: { topics: string[]; types: string[]; since: Since; limit?: number; wait?: number }) => Promise<HistoryResult>

export const AGUI = ['agui.*']
/** Events of one page. */
const PAGE = 1000

export interface Reading {
  /** As of `cursor`. Its beginning is lost where it has not `begun`. */
  replica: Replica
  /** Just before the run's first event. */
  before: Since
  /** Just before the run's end, where it ended; else everything was read up to here. */
  cursor: Since
  /** Of the run's last event, where it ended. */
  end?: Cursor
  /** Of the run, but for its end; 0 with no end either: nothing is known of it. */
  events: number
  threadId?: string
}

/**
 * The last run of that id behind `since`, up to what is committed.
 * @param subagents as of `Replica`
 */
export async function readRun(history: History, runId: string, since: Since, subagents?: ReadonlySet<string>): Promise<Reading> {
  const fresh = (from: Since): Reading => ({ replica: new Replica(subagents), before: from, cursor: from, events: 0 })
  let reading = fresh(since)
  let at = since
  for (;;) {
    const page = await history({ topics: [`run:${runId}`], types: AGUI, since: at, limit: PAGE })
    // Trimmed while it was read: what stands behind is read as if it were all there ever was.
    if (page.gap) reading = fresh(page.gap.to)
    let before = page.gap?.to ?? at
    for (const { event, cursor } of page.events) {
      const data = event.data as AguiEvent
      if (isOfRun(data, runId)) reading = read(reading, data, { before, cursor, threadId: threadOf(event.topics), fresh })
      before = cursor
    }
    at = page.cursor
    if (reading.end === undefined) reading.cursor = at
    if (!page.more) return reading
  }
}

interface Place {
  before: Since
  cursor: Cursor
  threadId?: string
  fresh: (from: Since) => Reading
}

function read(reading: Reading, event: AguiEvent, { before, cursor, threadId, fresh }: Place): Reading {
  if (event.type === 'RUN_STARTED') {
    const next = { ...fresh(before), events: 1, threadId: event.threadId }
    next.replica.begin(event)
    return next
  }
  // Whatever its producer says behind the end is not the run's.
  if (reading.end !== undefined) return reading
  const thread = reading.threadId ?? threadId
  if (isTerminal(event)) return { ...reading, end: cursor, cursor: before, threadId: thread }
  reading.replica.take(event)
  return { ...reading, events: reading.events + 1, threadId: thread }
}

function threadOf(topics: readonly string[]): string | undefined {
  return topics.find((topic) => topic.startsWith('thread:'))?.slice('thread:'.length)
}
