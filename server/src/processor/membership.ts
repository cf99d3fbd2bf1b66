/**
 * Which partitions this processor owns: says that it lives, renews its leases, releases what is more than its share and
 * takes what is free. A dead processor's partitions move within one lease and one look (`lookMs`) more.
 */
import { setTimeout as pause } from 'node:timers/promises'
import type { Logger } from '../observe/log.js'
import type { LedgerState, Ledger } from '../store/port.js'
import { fairShare } from './share.js'

/** What membership needs of an owner. */
export interface Holding {
  readonly done: Promise<void>
  stop(): void
  expire(): void
}

export interface MembershipOptions {
  ledger: Pick<Ledger, 'takeOver' | 'restart' | 'renew' | 'release' | 'owners' | 'join' | 'leave'>
  id: string
  partitions: number
  leaseMs: number
  renewMs: number
  log: Logger
  open: (partition: number, state: LedgerState) => Holding
  /** Told after every change. */
  onChange: (owned: readonly number[]) => void
}

export class Membership {
  private readonly holdings = new Map<number, Holding>()
  private readonly leaving = new Map<number, Promise<void>>()
  private readonly halt = new AbortController()
  private readonly lookMs: number
  private members: readonly string[] = []
  private beatAt = Number.NEGATIVE_INFINITY
  private running: Promise<void> | undefined

  constructor(private readonly options: MembershipOptions) {
    this.lookMs = Math.min(500, Math.max(20, options.leaseMs / 20), options.renewMs)
  }

  /** Resolves after the first look: a single processor then owns all partitions. A store that is away is waited for behind it. */
  async start(): Promise<void> {
    await this.look()
    this.running = this.run()
  }

  /** Finishes and releases everything, then leaves. Best effort where the store is away: leases end by themselves. */
  async stop(): Promise<void> {
    this.halt.abort()
    await this.running
    for (const partition of this.holdings.keys()) this.giveBack(partition)
    await Promise.all(this.leaving.values())
    await this.options.ledger.leave(this.options.id).catch((error: unknown) => this.options.log.warn({ err: error }, 'leaving failed'))
  }

  /** Partitions being given back do not count. */
  owned(): number[] {
    return [...this.holdings.keys()].filter((partition) => !this.leaving.has(partition)).sort((a, b) => a - b)
  }

  hasOthers(): boolean {
    return this.members.some((member) => member !== this.options.id)
  }

  private async run(): Promise<void> {
    while (!this.halt.signal.aborted) {
      await pause(this.lookMs, undefined, { signal: this.halt.signal }).catch(() => {})
      if (!this.halt.signal.aborted) await this.look()
    }
  }

  private async look(): Promise<void> {
    try {
      if (performance.now() - this.beatAt >= this.options.renewMs) await this.beat()
      await this.settle()
    } catch (error) {
      this.options.log.warn({ err: error }, 'membership: the store failed')
    }
  }

  /** A beat that fails is repeated at the next look, not at the next beat: the lease is running out. */
  private async beat(): Promise<void> {
    const at = performance.now()
    await this.greet()
    const { ledger, id, leaseMs } = this.options
    await Promise.all(
      [...this.holdings].map(async ([partition, holding]) => {
        if (!(await ledger.renew(partition, id, leaseMs))) holding.expire()
      }),
    )
    this.beatAt = at
  }

  private async greet(): Promise<void> {
    this.members = await this.options.ledger.join(this.options.id, this.options.leaseMs)
  }

  private async settle(): Promise<void> {
    const surplus = this.owned().slice(this.share())
    surplus.forEach((partition) => this.giveBack(partition))
    if (surplus.length > 0 || this.holdings.size === this.options.partitions) return
    const owners = await this.options.ledger.owners()
    // One that is ours but not held: a takeover whose answer was lost.
    const ours = (partition: number) => owners[partition] === this.options.id
    const free = [...owners.keys()].filter((partition) => (owners[partition] === null || ours(partition)) && !this.holdings.has(partition))
    // A free partition may be a dead member's: who lives is asked now, not at the next beat.
    if (free.length > 0 && this.owned().length >= this.share()) await this.greet()
    for (const partition of free) {
      if (this.owned().length >= this.share() || this.halt.signal.aborted) return
      await this.take(partition, ours(partition))
    }
  }

  private async take(partition: number, ours: boolean): Promise<void> {
    const { ledger, id, leaseMs, log } = this.options
    const state = await (ours ? ledger.restart(partition, id, leaseMs) : ledger.takeOver(partition, id, leaseMs))
    if (!state) return
    log.info({ partition, epoch: state.epoch }, 'took a partition over')
    const holding = this.options.open(partition, state)
    this.holdings.set(partition, holding)
    void holding.done.then(() => this.giveBack(partition))
    this.options.onChange(this.owned())
  }

  /** The lease goes after its owner's last commit, never before. Releasing compares the owner, so a lost lease takes no harm. */
  private giveBack(partition: number): void {
    const holding = this.holdings.get(partition)
    if (!holding || this.leaving.has(partition)) return
    const { ledger, id, log, onChange } = this.options
    holding.stop()
    const gone = holding.done
      .then(() => ledger.release(partition, id))
      .catch((error: unknown) => log.warn({ err: error, partition }, 'releasing a partition failed'))
      .then(() => {
        this.holdings.delete(partition)
        this.leaving.delete(partition)
        log.info({ partition }, 'gave a partition back')
        onChange(this.owned())
      })
    this.leaving.set(partition, gone)
    onChange(this.owned())
  }

  private share(): number {
    return fairShare(this.options.partitions, this.members, this.options.id)
  }
}
