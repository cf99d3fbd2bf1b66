/**
 * One partition in this processor's hands: read, decode, look up, commit, again. The commit is fenced and idempotent, so an
 * owner that was killed, frozen or cut off repeats nothing and skips nothing (I3); whatever this file holds is only memory.
 * Its lifecycle is `lease.ts`.
 */
import { setImmediate as turn, setTimeout as pause } from 'node:timers/promises'
import { HubError, type Offset } from '@hubbub/protocol'
import type { Logger } from '../observe/log.js'
import type { Metrics } from '../observe/metrics.js'
import type { Witness } from '../observe/witness.js'
import type { Settings } from '../settings/table.js'
import { StoreFull } from '../store/failure.js'
import { StoreUnavailable, type Batch, type CommitResult, type LedgerState, type SourceEntry, type Store } from '../store/port.js'
import { Arrivals } from './arrivals.js'
import { assemble, isEmpty, keysOf, owedAfter, type Draft, type Repeat } from './batch.js'
import { Clock } from './clock.js'
import { createDecoder } from './decode.js'
import { measure } from './measure.js'
import { nextLease, type LeaseEvent, type LeaseState } from './lease.js'
import { Fold } from './state/fold.js'
import { Upkeep } from './upkeep.js'
import { refuse, type Verdict } from './verdict.js'

export interface OwnerContext {
  store: Store
  settings: Settings
  metrics: Metrics
  witness?: Witness
  log: Logger
  /** Id of the processor, as it stands in the lease. */
  id: string
}

interface Prepared {
  verdicts: Verdict[]
  /** Outcomes of keys seen before; undefined when the partition was left or broke meanwhile. Never rejects. */
  remembered: Promise<Map<string, string> | undefined>
}

const UNTAKEABLE = new HubError('INTERNAL_ERROR', 'The store could not take the entry.')
const BLOCK_MS = 1000
const RETRY_LEAST_MS = 20
const RETRY_MOST_MS = 1000

export class Owner {
  /** Resolves when the partition is in these hands no more, released or lost; never rejects. */
  readonly done: Promise<void>
  private state: LeaseState = 'owning'
  private readonly halt = new AbortController()
  private readonly decode: (entry: SourceEntry) => Verdict
  private readonly log: Logger
  private arrivals: Arrivals
  /** The next batch, decoded while the one before is committed. */
  private prepared: Prepared | undefined
  /** Keys of the last committed batch. */
  private fresh: [seen: string, offset: Offset][] = []
  private owed: Repeat[] = []
  /** State as of the last commit; dropped with everything else when a commit fails. */
  private fold: Fold
  /** Dropped with the fold: it knows of due times that were read, and not of those whose batch was lost. */
  private clock: Clock
  private readonly upkeep: Upkeep
  /** What the last batch had no room for. */
  private rest: Prepared | undefined
  /** Entries of the next batch: halved by a failing script, until the one entry that the store cannot take is alone. */
  private limit: number
  /** That entry's id in its stream. */
  private condemned = ''

  constructor(
    private readonly context: OwnerContext,
    readonly partition: number,
    private ledger: LedgerState,
  ) {
    const { settings, store } = context
    this.log = context.log.child({ partition })
    this.decode = createDecoder({ partition, partitions: store.partitions, settings, log: this.log })
    this.limit = settings.batchEvents
    this.upkeep = new Upkeep({ ...context, log: this.log }, partition)
    this.fold = this.openFold()
    this.clock = this.openClock()
    this.arrivals = this.open()
    this.done = this.run().catch((error: unknown) => this.log.error({ err: error }, 'the owner of a partition failed'))
  }

  /** Finishes the batch in hand, then ends. */
  stop(): void {
    this.move('stop')
  }

  /** The lease is somebody else's or nobody's: ends without another commit. */
  expire(): void {
    this.move('expired')
  }

  private move(event: LeaseEvent): void {
    const before = this.state
    this.state = nextLease(before, event)
    if (this.state === before) return
    this.log.debug({ before, event, after: this.state }, 'lease')
    if (this.state === 'lost') this.context.metrics.leasesLost.inc()
    if (this.state === 'restarting' || this.state === 'owning') return
    this.halt.abort()
    void this.arrivals.close()
  }

  private async run(): Promise<void> {
    try {
      while (this.state === 'owning' || this.state === 'restarting') {
        if (this.state === 'restarting') await this.restart()
        else await this.step()
        // The memory store answers without leaving the microtask queue: sockets and timers need their turn.
        await turn()
      }
    } finally {
      await this.arrivals.close()
      this.move('drained')
    }
  }

  private async step(): Promise<void> {
    const prepared = this.rest ?? this.prepared ?? this.prepare()
    if (this.rest) this.rest = undefined
    else this.prepared = undefined
    const due = this.upkeep.surplus.length > 0 || this.clock.wait() <= 0
    if (prepared || due || this.owed.length > 0) await this.handle(prepared ?? { verdicts: [], remembered: Promise.resolve(new Map()) })
    else await this.arrivalOrDue()
    if (this.state === 'owning' && this.upkeep.isDue) await this.upkeep.keep(this.ledger.fence)
  }

  private async arrivalOrDue(): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    const due = new Promise<void>((resolve) => (timer = setTimeout(resolve, Math.min(BLOCK_MS, this.clock.wait()))))
    await Promise.race([this.arrivals.more(), due])
    clearTimeout(timer)
  }

  /** Takes and decodes the next entries and asks for their keys; undefined when there are none yet. */
  private prepare(): Prepared | undefined {
    const entries = this.arrivals.take(this.limit, this.context.settings.batchBytes)
    this.arrivals.ahead()
    if (entries.length === 0) return undefined
    const verdicts = entries.map((entry) => (placeOf(entry) === this.condemned ? refuse(entry, UNTAKEABLE) : this.decode(entry)))
    return { verdicts, remembered: this.recall(keysOf(verdicts)) }
  }

  private async handle({ verdicts, remembered: recalled }: Prepared): Promise<void> {
    const remembered = await recalled
    if (!remembered || this.state === 'restarting') return
    // The keys were asked for while the batch before was being committed: its own may be missing from the answer.
    for (const [seen, offset] of this.fresh) remembered.set(seen, offset)
    const draft = await this.draft(verdicts, remembered)
    if (!draft || isEmpty(draft.batch)) return
    const committing = this.commit(draft.batch, verdicts)
    // Meanwhile the store works on the commit, and this process on the next batch.
    if (this.state === 'owning') this.prepared = this.prepare()
    const result = await committing
    if (!result) return
    this.context.metrics.commits.inc({ status: result.status === 'committed' && result.replayed ? 'replayed' : result.status })
    if (result.status === 'committed') {
      if (draft.rest.length > 0) this.rest = { verdicts: [...draft.rest], remembered: Promise.resolve(remembered) }
      return this.committed(draft, verdicts, result.offsets)
    }
    this.log.warn({ batch: draft.batch.number }, `commit answered ${result.status}`)
    this.move(result.status === 'fenced' ? 'fenced' : 'broken')
  }

  /** Folds what is due and what came, and makes the batch of it. Undefined: the store failed, or the partition was left. */
  private async draft(verdicts: readonly Verdict[], remembered: ReadonlyMap<string, string>): Promise<Draft | undefined> {
    const { fold, clock } = this
    const due = clock.wait() <= 0 ? await this.insist(() => clock.due()) : { names: [], held: [], until: 0 }
    if (!due) return undefined
    const surplus = this.upkeep.surplus.splice(0)
    // Reading again is reading the same: only the batch in hand is ahead of the store, and it begins here.
    return await this.insist(async () => {
      fold.begin(this.ledger.batch + 1, clock.now())
      await fold.ahead(verdicts.flatMap((verdict) => ('event' in verdict ? [verdict.event] : [])))
      for (const name of due.held) fold.postpone(name, due.until)
      return await assemble(this.ledger, { due: [...due.names, ...surplus], verdicts, remembered, owed: this.owed }, fold)
    })
  }

  private committed(draft: Draft, verdicts: readonly Verdict[], offsets: readonly Offset[]): void {
    const { batch } = draft
    this.ledger = { ...this.ledger, batch: batch.number, positions: batch.to }
    this.owed = owedAfter(draft, offsets)
    this.fresh = batch.appends.map(({ seen }, place) => [seen, offsets[place]!])
    this.limit = Math.min(this.context.settings.batchEvents, this.limit * 2)
    this.clock.expect(draft.undue > 0 ? 0 : this.fold.nextDue())
    this.upkeep.finished(this.fold.finished())
    this.fold.committed()
    measure(this.context, this.partition, draft, verdicts, offsets)
  }

  private async recall(keys: string[]): Promise<Map<string, string> | undefined> {
    const found = new Map<string, string>()
    if (keys.length === 0) return found
    const outcomes = await this.insist(() => this.context.store.seen(this.partition, keys))
    outcomes?.forEach((outcome, place) => outcome !== null && found.set(keys[place]!, outcome))
    return outcomes && found
  }

  private async commit(batch: Batch, verdicts: readonly Verdict[]): Promise<CommitResult | undefined> {
    const stop = this.context.metrics.commitDuration.startTimer()
    const result = await this.insist(() => this.context.store.commit(this.partition, batch))
    stop()
    if (result || this.state !== 'restarting') return result
    // The script itself failed, and would fail on the same entry for ever.
    this.context.metrics.commits.inc({ status: 'error' })
    if (verdicts.length === 1) this.condemned = placeOf(verdicts[0]!.entry)
    this.limit = Math.max(1, verdicts.length >> 1)
    return undefined
  }

  /** Repeats a call, unchanged, until the store answers: a rejection leaves open whether a commit happened (I3). */
  private async insist<T>(call: () => Promise<T>): Promise<T | undefined> {
    for (let waitMs = RETRY_LEAST_MS; ; waitMs = Math.min(RETRY_MOST_MS, waitMs * 2)) {
      try {
        return await call()
      } catch (error) {
        this.log.warn({ err: error }, 'the store failed a batch')
        if (!(error instanceof StoreUnavailable)) {
          this.move('broken')
          await this.wait(RETRY_LEAST_MS)
          return undefined
        }
        if (this.state !== 'owning') return undefined
        if (error instanceof StoreFull) await this.upkeep.makeRoom(this.ledger.fence)
        await this.wait(waitMs)
        if (this.halt.signal.aborted) return undefined
      }
    }
  }

  /** As on takeover: everything in memory is dropped and read anew, under a new fence and epoch. */
  private async restart(): Promise<void> {
    await this.arrivals.close()
    this.owed = []
    this.fresh = []
    this.prepared = undefined
    this.rest = undefined
    this.fold = this.openFold()
    this.clock = this.openClock()
    try {
      const state = await this.context.store.restart(this.partition, this.context.id, this.context.settings.leaseMs)
      if (!state) return this.move('expired')
      this.ledger = state
      this.arrivals = this.open()
      this.move('restarted')
    } catch (error) {
      this.log.warn({ err: error }, 'restart of a partition failed')
      await this.wait(RETRY_MOST_MS)
    }
  }

  private open(): Arrivals {
    const { store, settings } = this.context
    return new Arrivals(store.openSource(this.partition), this.ledger.positions, {
      count: settings.batchEvents,
      blockMs: BLOCK_MS,
      onError: (error) => this.log.warn({ err: error }, 'reading the source streams failed'),
    })
  }

  private openFold(): Fold {
    const { store, settings } = this.context
    return new Fold({ partition: this.partition, state: store.state, settings, log: this.log })
  }

  private openClock(): Clock {
    const { store, settings } = this.context
    return new Clock(store.state, this.partition, settings.heartbeatMs)
  }

  private wait(ms: number): Promise<void> {
    return pause(ms, undefined, { signal: this.halt.signal }).catch(() => {})
  }
}

function placeOf({ stream, id }: SourceEntry): string {
  return `${stream}:${id}`
}
