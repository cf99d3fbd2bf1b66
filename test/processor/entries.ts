import { partitionOf, type EventInput } from '@hubbub/protocol'
import type { SourceAppend, SourceName, Store } from '../../server/src/store/port.js'

export function progress(id: string | undefined, taskId: string, value: number, extra: Partial<EventInput> = {}): EventInput {
  return { ...(id === undefined ? {} : { id }), type: 'task.progress', data: { taskId, progress: value }, ...extra }
}

/** As our gateways write it. */
export function entryOf(input: unknown, extra: Partial<SourceAppend> = {}): SourceAppend {
  const event = typeof input === 'string' ? input : JSON.stringify(input)
  return { stream: 'agents', event, identity: { source: '/agents/coder', project: 'default' }, ...extra }
}

/** As somebody with XADD writes it. */
export function rawEntry(input: unknown, stream: SourceName = 'workflows'): SourceAppend {
  return { stream, event: typeof input === 'string' ? input : JSON.stringify(input) }
}

/** Events `producer-from` to `producer-(to - 1)` as one append, in the default project. */
export async function appendProgress(store: Store, producer: string, from: number, to: number): Promise<void> {
  const identity = { source: `/agents/${producer}`, project: 'default' }
  const entries = Array.from({ length: to - from }, (_, at) => {
    const number = from + at
    return entryOf(progress(`${producer}-${number}`, producer, number % 100), { identity })
  })
  await store.append(partitionOf('default', store.partitions), entries)
}

/** Ids of one producer's events, in the given order. */
export function idsOf(events: readonly { id: string; metadata: { source: string } }[], producer: string): string[] {
  return events.filter(({ metadata }) => metadata.source === `/agents/${producer}`).map(({ id }) => id)
}

export function numbered(producer: string, count: number): string[] {
  return Array.from({ length: count }, (_, at) => `${producer}-${at}`)
}
