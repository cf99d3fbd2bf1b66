/**
 * One project's entities in the owner's memory: the agents and all unfinished work, and of the rest what was needed lately. It is
 * a copy: the owner is the only one who writes, so what it holds is what the store holds, plus the batch in hand. Whatever breaks
 * a batch drops it all.
 */
import { KINDS, type Agent, type Entities, type Entity, type Kind, type Task } from '@hubbub/protocol'
import { Bench } from '../rules/bench.js'
import { isWork } from './terms.js'

/** What has to be read from the store before the fold can go on. */
export type Need = { kind: Kind; id: string } | { ref: string }

export class Unloaded extends Error {
  override readonly name = 'Unloaded'
  constructor(readonly need: Need) {
    super('needed from the store')
  }
}

type Holding = Map<string, Entity | null>

export class Memory {
  readonly bench = new Bench()
  /** Null: the store has none. */
  private readonly held = Object.fromEntries(KINDS.map((kind) => [kind, new Map()])) as Record<Kind, Holding>
  /** By task id or `stream:ID`: unfinished tasks that wait for it. */
  private readonly waiting = new Map<string, Set<string>>()
  /** Refs that were looked up, and those of tasks in memory. */
  private readonly refs = new Map<string, Set<string>>()
  private readonly asked = new Set<string>()
  private absent: { kind: Kind; id: string }[] = []
  private undo: { kind: Kind; id: string; before: Entity | null | undefined }[] = []

  constructor(readonly project: string) {}

  has(kind: Kind, id: string): boolean {
    return this.held[kind].has(id)
  }

  get<K extends Kind>(kind: K, id: string): Entities[K] | undefined {
    const entity = this.held[kind].get(id)
    if (entity === undefined) throw new Unloaded({ kind, id })
    return (entity ?? undefined) as Entities[K] | undefined
  }

  /** A change that the batch in hand makes; taken back by `rollback`. */
  set(kind: Kind, id: string, entity: Entity | undefined): void {
    this.undo.push({ kind, id, before: this.held[kind].get(id) })
    this.put(kind, id, entity ?? null)
  }

  /** As the store has it. */
  load(kind: Kind, id: string, entity: Entity | null): void {
    if (!this.held[kind].has(id)) this.put(kind, id, entity)
  }

  /** The tasks that know the ref have been loaded. */
  loadRef(ref: string): void {
    this.asked.add(ref)
  }

  dependents(dependency: string): Task[] {
    return [...(this.waiting.get(dependency) ?? [])].flatMap((id) => (this.held.task.get(id) as Task | null) ?? [])
  }

  tasksOf(ref: string): string[] {
    if (!this.asked.has(ref)) throw new Unloaded({ ref })
    return [...(this.refs.get(ref) ?? [])]
  }

  /** Groups of unfinished work that are not here. */
  groupsOfWork(kind: 'pipeline' | 'stream', most: number): Set<string> {
    const groups = new Set<string>()
    for (const task of this.held.task.values()) {
      if (groups.size >= most) break
      const group = (task as Task | null)?.[`${kind}Id`]
      if (group !== undefined && !this.has(kind, group) && isWork(task as Task)) groups.add(group)
    }
    return groups
  }

  /** Where a `rollback` goes back to. */
  mark(): number {
    return this.undo.length
  }

  rollback(to: number): void {
    for (let place = this.undo.length - 1; place >= to; place--) {
      const { kind, id, before } = this.undo[place]!
      if (before === undefined) this.drop(kind, id)
      else this.put(kind, id, before)
    }
    this.undo.length = to
  }

  /** The batch is committed: the oldest of what is not needed goes, down to `most`. */
  settle(most: number): void {
    this.undo = []
    // What is not there is cheap to ask again, and endless.
    this.asked.clear()
    for (const { kind, id } of this.absent) if (this.held[kind].get(id) === null) this.held[kind].delete(id)
    this.absent = []
    for (const kind of KINDS) {
      const holding = this.held[kind]
      let surplus = kind === 'agent' ? 0 : holding.size - most
      for (const [id, entity] of holding) {
        if (surplus <= 0) break
        if (kind === 'task' && isWork(entity as Task)) continue
        this.drop(kind, id)
        surplus--
      }
    }
  }

  private put(kind: Kind, id: string, entity: Entity | null): void {
    const before = this.held[kind].get(id) ?? undefined
    this.held[kind].set(id, entity)
    if (entity === null) this.absent.push({ kind, id })
    this.follow(kind, before, entity ?? undefined)
  }

  private drop(kind: Kind, id: string): void {
    const before = this.held[kind].get(id) ?? undefined
    this.held[kind].delete(id)
    if (before) this.follow(kind, before, undefined)
  }

  private follow(kind: Kind, before: Entity | undefined, after: Entity | undefined): void {
    if (kind === 'agent') this.bench.seat(before as Agent | undefined, after as Agent | undefined)
    if (kind !== 'task') return
    const [old, task] = [before as Task | undefined, after as Task | undefined]
    this.bench.place(old, task)
    const [waited, waits] = [old && isWork(old) ? old.dependsOn : undefined, task && isWork(task) ? task.dependsOn : undefined]
    // Their order stays: a cause that is begun anew after a read must come to the same tasks again, or it would never end.
    if (waited !== waits) {
      for (const dependency of waited ?? []) takeFrom(this.waiting, dependency, old!.id)
      for (const dependency of waits ?? []) addTo(this.waiting, dependency, task!.id)
    }
    if (old?.refs !== task?.refs) {
      for (const ref of old?.refs ?? []) takeFrom(this.refs, ref, old!.id)
      for (const ref of task?.refs ?? []) addTo(this.refs, ref, task!.id)
    }
  }
}

function addTo(sets: Map<string, Set<string>>, key: string, id: string): void {
  const set = sets.get(key)
  if (set) set.add(id)
  else sets.set(key, new Set([id]))
}

function takeFrom(sets: Map<string, Set<string>>, key: string, id: string): void {
  const set = sets.get(key)
  set?.delete(id)
  if (set?.size === 0) sets.delete(key)
}
