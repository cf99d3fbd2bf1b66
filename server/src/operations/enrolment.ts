/**
 * This worker's part of the roster's groups, as it is and as the store has it. What was not written, because the store was away, or
 * what the store lost, is written again.
 */
import { partitionOf } from '@hubbub/protocol'
import type { Logger } from '../observe/log.js'
import type { Roster, RosterChange } from '../store/port.js'
import type { Roll } from './roll.js'

export interface EnrolmentDeps {
  roster: Pick<Roster, 'update' | 'renew'>
  partitions: number
  roll: Pick<Roll, 'worker' | 'alive'>
  log: Logger
}

interface Group {
  name: string
  partition: number
  /** What is to be known of each member. */
  wanted: Map<string, string>
  /** What the store has: surely, or perhaps, of a write that failed. */
  recorded: Map<string, 'surely' | 'perhaps'>
  queue: Promise<unknown>
}

/** How often the store is asked whether it still has everything, ms; it keeps a group for an hour. */
const ROUND_MS = 10_000

export class Enrolment {
  private readonly groups = new Map<string, Group>()
  private readonly rounds = setInterval(() => void this.round(), ROUND_MS).unref()

  constructor(private readonly deps: EnrolmentDeps) {}

  /** Resolves when the store has it; rejects when it could not be written now, and is then written later. */
  join(project: string, name: string, member: string, info: string): Promise<void> {
    const group = this.groupOf(project, name)
    group.wanted.set(member, info)
    return this.settle(group)
  }

  leave(project: string, name: string, member: string): Promise<void> {
    const group = this.groupOf(project, name)
    group.wanted.delete(member)
    return this.settle(group)
  }

  close(): void {
    clearInterval(this.rounds)
  }

  private groupOf(project: string, name: string): Group {
    let group = this.groups.get(name)
    if (!group) this.groups.set(name, (group = { name, partition: partitionOf(project, this.deps.partitions), wanted: new Map(), recorded: new Map(), queue: Promise.resolve() }))
    return group
  }

  /** One write after the other; each takes all that changed until its turn came. */
  private settle(group: Group): Promise<void> {
    const turn = group.queue.then(() => this.write(group))
    group.queue = turn.catch(() => undefined)
    return turn
  }

  private async write(group: Group): Promise<void> {
    const { name, partition, wanted, recorded } = group
    const changes: RosterChange[] = []
    for (const [member, info] of wanted) if (recorded.get(member) !== 'surely') changes.push({ member, info })
    for (const member of recorded.keys()) if (!wanted.has(member)) changes.push({ member, info: null })
    if (changes.length > 0) {
      for (const { member } of changes) recorded.set(member, 'perhaps')
      const { roster, roll } = this.deps
      await roster.update(partition, name, roll.worker, changes, roll.alive())
      for (const { member, info } of changes) {
        if (info === null) recorded.delete(member)
        else recorded.set(member, 'surely')
      }
    }
    if (wanted.size === 0 && recorded.size === 0 && this.groups.get(name) === group) this.groups.delete(name)
  }

  private async round(): Promise<void> {
    const { roster, roll, partitions, log } = this.deps
    try {
      for (let partition = 0; partition < partitions; partition++) {
        const groups = [...this.groups.values()].filter((group) => group.partition === partition)
        if (groups.length === 0) continue
        const held = await roster.renew(partition, groups.map(({ name }) => name), roll.worker)
        groups.forEach(({ recorded }, place) => {
          if (held[place]! < recorded.size) for (const member of recorded.keys()) recorded.set(member, 'perhaps')
        })
        await Promise.all(groups.map((group) => this.settle(group)))
      }
    } catch (error) {
      log.debug({ err: error }, 'the roster could not be compared')
    }
  }
}
