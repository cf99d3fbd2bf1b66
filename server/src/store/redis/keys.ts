/**
 * Names of all keys. A partition's keys share the hash tag `{pN}`: one Redis Cluster slot, so that a script may touch
 * them together. `source:*` is a public contract: workflow engines XADD to it directly.
 */
import { partitionTag } from '@hubbub/protocol'
import { SOURCES, type SourceName } from '../port.js'

export const GLOBAL = {
  /** hash: `partitions` */
  config: 'hubbub:config',
  /** sorted set: processor ids by the ms at which they last said that they live */
  processors: 'hubbub:processors',
  /** hash: key id to JSON of `ApiKeyRecord` */
  keys: 'hubbub:keys',
  /** hash: `key:ID` and `subject:SUB` to the ms of revocation */
  revoked: 'hubbub:revoked',
} as const

export class PartitionKeys {
  private readonly prefix: string
  /** hash: fence, number, result, epoch, last, bytes, seen, seenAt, and the read position of each source */
  readonly commit: string
  readonly journal: string
  readonly lease: string
  /** list: `nonce offset`, oldest first */
  readonly epochs: string
  /** Two generations of seen keys; the commit hash says which is current. */
  readonly seen: readonly [string, string]
  readonly dead: string
  readonly sources: Readonly<Record<SourceName, string>>

  constructor(partition: number) {
    this.prefix = `hubbub:${partitionTag(partition)}:`
    this.commit = `${this.prefix}commit`
    this.journal = `${this.prefix}journal`
    this.lease = `${this.prefix}lease`
    this.epochs = `${this.prefix}epochs`
    this.seen = [`${this.prefix}seen:a`, `${this.prefix}seen:b`]
    this.dead = `${this.prefix}dead`
    this.sources = Object.fromEntries(SOURCES.map((name) => [name, `${this.prefix}source:${name}`])) as Record<SourceName, string>
  }

  /** In the order of `SOURCES`, which the scripts share. */
  get sourceList(): string[] {
    return SOURCES.map((name) => this.sources[name])
  }

  topic(key: string): string {
    return `${this.prefix}topic:${key}`
  }

  session(id: string): string {
    return `${this.prefix}session:${id}`
  }

  once(key: string): string {
    return `${this.prefix}once:${key}`
  }

  /** Channel of sharded pub/sub, not a key; the tag puts it into the partition's slot. */
  ack(worker: string): string {
    return `${this.prefix}ack:${worker}`
  }
}
