/** The hub's public and private streams as they stand in Redis, read without any of the hub's code. */
import { createClient } from 'redis'
import type { HubEvent } from '@hubbub/protocol'

export const STREAMS = ['agents', 'workflows', 'github', 'system'] as const
export type StreamName = (typeof STREAMS)[number]

export interface RawEntry {
  partition: number
  id: string
  fields: Record<string, string>
}

export interface RawRedis {
  journal(partition: number): Promise<RawEntry[]>
  /** Events of the journal, parsed, with their offsets. */
  events(partition: number): Promise<{ offset: string; event: HubEvent }[]>
  dead(partition: number): Promise<RawEntry[]>
  /** XADD to a source stream, as a workflow engine does. */
  add(partition: number, stream: StreamName, fields: Record<string, string>): Promise<string>
  /** How many entries were ever added to the journal and to each source stream, trimmed ones included. */
  added(partition: number): Promise<Record<'journal' | StreamName, number>>
  close(): void
}

export async function openRaw(url: string): Promise<RawRedis> {
  const client = createClient({ url })
  client.on('error', () => {})
  await client.connect()
  const range = async (partition: number, name: string): Promise<RawEntry[]> => {
    const entries = await client.xRange(`hubbub:{p${partition}}:${name}`, '-', '+')
    return (entries ?? []).map(({ id, message }) => ({ partition, id, fields: { ...message } }))
  }
  const everAdded = async (partition: number, name: string): Promise<number> => {
    const key = `hubbub:{p${partition}}:${name}`
    if ((await client.exists(key)) === 0) return 0
    return (await client.xInfoStream(key))['entries-added']
  }
  return {
    journal: (partition) => range(partition, 'journal'),
    async events(partition) {
      const entries = await range(partition, 'journal')
      return entries.map(({ id, fields }) => ({ offset: id, event: JSON.parse(fields['event']!) as HubEvent }))
    },
    dead: (partition) => range(partition, 'dead'),
    add: (partition, stream, fields) => client.xAdd(`hubbub:{p${partition}}:source:${stream}`, '*', fields),
    async added(partition) {
      const names = ['journal', ...STREAMS] as const
      const counts = await Promise.all(names.map((name) => everAdded(partition, name === 'journal' ? name : `source:${name}`)))
      return Object.fromEntries(names.map((name, at) => [name, counts[at]])) as Record<(typeof names)[number], number>
    },
    close: () => client.destroy(),
  }
}
