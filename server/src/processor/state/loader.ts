/** Reads into memory what the fold needs: a project's agents and unfinished work when it is first heard of, the rest on demand. */
import { subjectsOf, type Entity, type HubEvent, type Kind, type Task } from '@hubbub/protocol'
import { ALL, type Selector, type StateStore } from '../../store/entities.js'
import type { Memory, Need } from './memory.js'
import { WORK } from './terms.js'

/** What moves one task mostly moves others like it, and each read begins its cause anew. */
const MOST_GROUPS = 500
const PAGE = { count: 2000, bytes: 4 * 1024 * 1024 }

export class Loader {
  constructor(private readonly state: StateStore, private readonly partition: number) {}

  async open(memory: Memory): Promise<void> {
    await this.read(memory, [{ kind: 'agent', term: ALL }, { kind: 'task', term: WORK }])
  }

  async need(memory: Memory, need: Need): Promise<void> {
    if ('ref' in need) {
      await this.read(memory, [{ kind: 'task', term: `ref:${need.ref}` }])
      memory.loadRef(need.ref)
    } else {
      const { kind, id } = need
      const others = kind === 'pipeline' || kind === 'stream' ? memory.groupsOfWork(kind, MOST_GROUPS) : []
      await this.ids(memory, kind, [...new Set([id, ...others])])
    }
  }

  /** What the events are about, and where their tasks belong: two reads for a whole batch instead of two for each event. */
  async ahead(memory: Memory, events: readonly HubEvent[]): Promise<void> {
    await this.missing(memory, events.flatMap((event) => [...subjectsOf(event), ...dependenciesOf(event)]))
    await this.missing(memory, events.flatMap((event) => subjectsOf(event)).flatMap((subject) => groupsOf(memory, subject)))
  }

  private async missing(memory: Memory, subjects: readonly { kind: Kind; id: string }[]): Promise<void> {
    const wanted = new Map<Kind, Set<string>>()
    for (const { kind, id } of subjects) {
      if (memory.has(kind, id)) continue
      const ids = wanted.get(kind)
      if (ids) ids.add(id)
      else wanted.set(kind, new Set([id]))
    }
    for (const [kind, ids] of wanted) await this.ids(memory, kind, [...ids])
  }

  private async ids(memory: Memory, kind: Kind, ids: readonly string[]): Promise<void> {
    await this.read(memory, [{ kind, ids }])
    for (const id of ids) memory.load(kind, id, null)
  }

  private async read(memory: Memory, selectors: readonly Selector[]): Promise<void> {
    let after: string | undefined
    do {
      const page = await this.state.select(this.partition, memory.project, selectors, after === undefined ? PAGE : { ...PAGE, after })
      for (const { kind, id, json } of page.entities) memory.load(kind, id, JSON.parse(json) as Entity)
      after = page.next
    } while (after !== undefined)
  }
}

/** What a new task waits for is looked at, however much that is. */
function dependenciesOf({ type, data }: HubEvent): { kind: Kind; id: string }[] {
  if (type !== 'task.created') return []
  const { dependsOn = [] } = data as { dependsOn?: string[] }
  return dependsOn.map((id) => (id.startsWith('stream:') ? { kind: 'stream', id: id.slice('stream:'.length) } : { kind: 'task', id }))
}

function groupsOf(memory: Memory, { kind, id }: { kind: Kind; id: string }): { kind: Kind; id: string }[] {
  if (kind !== 'task') return []
  const task: Task | undefined = memory.get('task', id)
  const groups: { kind: Kind; id: string }[] = []
  if (task?.pipelineId !== undefined) groups.push({ kind: 'pipeline', id: task.pipelineId })
  if (task?.streamId !== undefined) groups.push({ kind: 'stream', id: task.streamId })
  return groups
}
