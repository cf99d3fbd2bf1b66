/** A batch's state writes as commit.lua takes them; the layout stands in the script's head. */
import type { NetState } from '../net.js'
import type { PartitionKeys } from './keys.js'

export interface EncodedState {
  keys: string[]
  /** Of kinds, indexes, timers to set, timers to take away. */
  counts: string[]
  args: string[]
}

export function encodeState(partition: PartitionKeys, { kinds, indexes, timers }: NetState): EncodedState {
  const keys: string[] = []
  const args: string[] = []
  for (const [key, writes] of kinds) {
    keys.push(partition.state(key), partition.everything(key))
    args.push(String(writes.length))
    for (const { id, place, append, json } of writes) args.push(id, place.slice(0, 15), String(append + 1), json ?? '')
  }
  for (const [key, places] of indexes) {
    keys.push(partition.index(key))
    const at = args.length
    args.push('', '')
    for (const [place, stands] of places) if (stands) args.push('0', place)
    const entering = (args.length - at - 2) / 2
    args[at] = String(entering)
    args[at + 1] = String(places.size - entering)
    for (const [place, stands] of places) if (!stands) args.push(place)
  }
  if (timers.size > 0) keys.push(partition.timers)
  const running = [...timers].flatMap(([name, due]) => (due === null ? [] : [String(due), name]))
  const ended = [...timers].flatMap(([name, due]) => (due === null ? [name] : []))
  return { keys, counts: [kinds.size, indexes.size, running.length / 2, ended.length].map(String), args: args.concat(running, ended) }
}
