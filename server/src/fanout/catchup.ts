/** Brings one session from its cursor to the flushed position, at the pace at which its socket drains (I2, I7). */
import { compareOffsets, isAfter, laterOf, ORIGIN, parseCursor, type Offset } from '@hubbub/protocol'
import type { Logger } from '../observe/log.js'
import type { Metrics } from '../observe/metrics.js'
import type { Witness } from '../observe/witness.js'
import type { Journal } from '../store/port.js'
import { cursorAt, resume } from './epochs.js'
import { pacedChunks } from './pace.js'
import { PAGE, readPage, readWindow, type Page } from './pages.js'
import type { Session } from './session.js'
import { wanted, type Subscription } from './subscription.js'
import type { Turns } from './turns.js'

const RETRY_MS = 200
/** What a page holds for a socket that does not take it now, at most; bytes. Of large events a page weighs many times that (I7). */
const HELD_BYTES = 256 * 1024

export interface CatchUpDeps {
  journal: Journal
  metrics: Metrics
  witness?: Witness
  log: Logger
  /** Of all sessions of the process. */
  turns: Turns
  /** Makes the session live; called in the same synchronous step in which its cursor was found at the flushed position. */
  goLive(session: Session): void
}

/** Runs until the session is live or closed. One at a time for each session. */
export async function catchUp(session: Session, deps: CatchUpDeps): Promise<void> {
  let checked: readonly unknown[] | undefined
  while (session.state === 'catching-up') {
    try {
      if (checked !== session.tail.epochs) {
        checked = session.tail.epochs
        await checkCursor(session, deps)
        continue
      }
      if (session.isAhead) await session.tail.nextMove()
      else if (compareOffsets(session.position, session.tail.flushed) === 0) deps.goLive(session)
      else {
        await readyFor(session, deps)
        // While it waited the journal may have begun anew: then its cursor is checked before it goes on (I2).
        if (session.state === 'catching-up' && checked === session.tail.epochs) await step(session, deps)
      }
    } catch (error) {
      deps.metrics.storeErrors.inc({ operation: 'catch-up' })
      deps.log.warn({ err: error, partition: session.tail.partition }, 'catching up interrupted; trying again')
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
    }
  }
}

/** Its socket takes more, and it is its turn. */
async function readyFor(session: Session, { turns }: CatchUpDeps): Promise<void> {
  await session.outlet.drained()
  await turns.next()
}

/** A cursor is checked when the session starts to catch up, and again whenever the journal's epochs changed. */
async function checkCursor(session: Session, deps: CatchUpDeps): Promise<void> {
  const { epochs } = session.tail
  const cursor = parseCursor(session.positionCursor)!
  const near = session.tail.window.covers(cursor.offset) && epochs.some((epoch) => epoch.nonce === cursor.epoch)
  const head = near ? { floor: ORIGIN, epochs: [...epochs] } : await deps.journal.head(session.tail.partition)
  if (session.state !== 'catching-up') return
  const { after, gap } = resume(cursor, head)
  if (!gap) return
  deps.metrics.gaps.inc({ reason: gap.reason })
  session.tell(gap)
  if (gap.reason === 'epoch') session.rebase(after)
  moveTo(session, after)
}

async function step(session: Session, deps: CatchUpDeps): Promise<void> {
  const { tail, version } = session
  const { epochs } = tail
  const after = session.position
  // What was read is void: it is read again behind the cursor, for the subscriptions and the journal of then.
  const isVoid = () => session.state !== 'catching-up' || session.version !== version || tail.epochs !== epochs
  const { counting, upTo } = stretch(session, after)
  if (counting.length === 0) return moveTo(session, upTo)
  const page = readWindow(tail.window, session.project, counting, after, upTo, session.pageEvents) ?? (await readJournal(session, deps, counting, after, upTo))
  if (isVoid()) return
  if (isAfter(page.floor, after)) tellTrimmed(session, deps, laterOf(page.floor, after))
  const entries = page.entries.filter((entry) => entry.event.project === session.project && wanted(session.subscriptions.values(), entry))
  let held = entries.reduce((bytes, { size }) => bytes + size, 0)
  for (const chunk of pacedChunks(entries, [...session.subscriptions.values()], session.outlet.encoding)) {
    session.outlet.write(chunk)
    if (deps.witness?.isOn) deps.witness.caughtUp(tail.partition, chunk.entries)
    session.moveTo(chunk.last.cursor)
    if (session.inbox) session.onMail?.()
    held -= chunk.entries.reduce((bytes, { size }) => bytes + size, 0)
    if (held > HELD_BYTES && session.outlet.waiting().bytes > 0) {
      // It is read again when it is wanted, in smaller pages.
      session.pageEvents = Math.max(1, Math.floor(session.pageEvents / 4))
      return
    }
    await readyFor(session, deps)
    if (isVoid()) return
  }
  session.pageEvents = Math.min(PAGE, session.pageEvents * 2)
  moveTo(session, laterOf(page.reached, session.position))
}

/** The answers of several may come at once. */
async function readJournal(session: Session, { journal, turns }: CatchUpDeps, counting: readonly Subscription[], after: Offset, upTo: Offset): Promise<Page> {
  const page = await readPage({ journal, partition: session.tail.partition }, session.project, counting, after, upTo, session.pageEvents)
  await turns.next()
  return page
}

/**
 * The next stretch of the journal, and the subscriptions that count in all of it: one that was made while an agent still reads old
 * mail (a wildcard, perhaps, for which everything is scanned) begins behind that mail.
 */
function stretch(session: Session, after: Offset): { counting: Subscription[]; upTo: Offset } {
  const counting: Subscription[] = []
  let upTo = session.tail.flushed
  for (const subscription of session.subscriptions.values()) {
    if (!isAfter(subscription.from, after)) counting.push(subscription)
    else if (isAfter(upTo, subscription.from)) upTo = subscription.from
  }
  return { counting, upTo }
}

function tellTrimmed(session: Session, deps: CatchUpDeps, floor: Offset): void {
  deps.metrics.gaps.inc({ reason: 'trimmed' })
  session.tell({ from: session.positionCursor, to: cursorAt(floor, session.tail.epochs), reason: 'trimmed' })
  moveTo(session, floor)
}

function moveTo(session: Session, offset: Offset): void {
  session.moveTo(cursorAt(offset, session.tail.epochs))
}
