/**
 * Names of all keys. A partition's keys share the hash tag `{pN}`: one Redis Cluster slot, so that a script may touch
 * them together. `source:*` is a public contract: workflow engines XADD to it directly.
 */
import { partitionTag } from '@hubbub/protocol'
import { ALL } from '../entities.js'
import { SOURCES, type SourceName } from '../port.js'

export const GLOBAL = {
  /** hash: `partitions` */
  config: 'hubbub:config',
  /** sorted set: processor ids by the ms at which they last said that they live */
  processors: 'hubbub:processors',
  /** sorted set: worker ids, likewise */
  workers: 'hubbub:workers',
  /** hash: key id to JSON of `ApiKeyRecord` */
  keys: 'hubbub:keys',
  /** hash: `key:ID` and `subject:SUB` to the ms of revocation */
  revoked: 'hubbub:revoked',
} as const

/** How the hub is; scripts touch them together, so they share a tag. */
export const VITALS = {
  /** sorted set: processes by the ms of their last report */
  seen: 'hubbub:{vitals}:seen',
  /** hash: process to `ms JSON`, ms of its first report */
  reports: 'hubbub:{vitals}:reports',
  /** hash: what the watch noted, by name */
  notes: 'hubbub:{vitals}:notes',
  /** string: the process that keeps watch; expires */
  watch: 'hubbub:{vitals}:watch',
} as const

export class PartitionKeys {
  private readonly prefix: string
  /** hash: fence, number, result, epoch, last, bytes, seen, seenAt, and the read position of each source */
  readonly commit: string
  readonly journal: string
  readonly lease: string
  /** list: `nonce offset`, oldest first */
  readonly epochs: string
  /** hash: nonce of an epoch to the processor that began it */
  readonly owners: string
  /** Two generations of seen keys; the commit hash says which is current. */
  readonly seen: readonly [string, string]
  readonly dead: string
  /** sorted set: timer's name by the ms at which it is due */
  readonly timers: string
  readonly sources: Readonly<Record<SourceName, string>>
  /** Hashes by `project/id`: JSON of the record, JSON of the progress, and JSON of status, reason, owner, fence, till (ms, the lease's end) */
  readonly sinks: { readonly records: string; readonly progress: string; readonly standings: string }

  constructor(partition: number) {
    this.prefix = `hubbub:${partitionTag(partition)}:`
    this.commit = `${this.prefix}commit`
    this.journal = `${this.prefix}journal`
    this.lease = `${this.prefix}lease`
    this.epochs = `${this.prefix}epochs`
    this.owners = `${this.prefix}owners`
    this.seen = [`${this.prefix}seen:a`, `${this.prefix}seen:b`]
    this.dead = `${this.prefix}dead`
    this.timers = `${this.prefix}timers`
    this.sinks = { records: `${this.prefix}sinks`, progress: `${this.prefix}sinks:progress`, standings: `${this.prefix}sinks:standings` }
    this.sources = Object.fromEntries(SOURCES.map((name) => [name, `${this.prefix}source:${name}`])) as Record<SourceName, string>
  }

  /** In the order of `SOURCES`, which the scripts share. */
  get sourceList(): string[] {
    return SOURCES.map((name) => this.sources[name])
  }

  topic(key: string): string {
    return `${this.prefix}topic:${key}`
  }

  /** hash: id to `revision ms JSON` (ms of the entity's place); by `stateKey` */
  state(key: string): string {
    return `${this.prefix}state:${key}`
  }

  /** sorted set: places, all of one score, so that their order is that of the texts; by `indexKey` */
  index(key: string): string {
    return `${this.prefix}index:${key}`
  }

  /** The index of all entities of a `stateKey`. */
  everything(key: string): string {
    return this.index(`${key}/${ALL}`)
  }

  session(id: string): string {
    return `${this.prefix}session:${id}`
  }

  /** string: the cursor up to which an agent's mail was handed over */
  mail(key: string): string {
    return `${this.prefix}mail:${key}`
  }

  once(key: string): string {
    return `${this.prefix}once:${key}`
  }

  /** hash: `member NUL worker` to what is to be known of it; and hash: worker to the number of members that it holds */
  roster(group: string): [members: string, holders: string] {
    return [`${this.prefix}roster:${group}`, `${this.prefix}holders:${group}`]
  }

  /** Channel of sharded pub/sub, not a key; the tag puts it into the partition's slot. */
  ack(worker: string): string {
    return `${this.prefix}ack:${worker}`
  }
}
