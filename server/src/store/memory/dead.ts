import { isOffset } from '@hubbub/protocol'
import type { DeadLetters } from '../port.js'
import type { MemoryContext } from './context.js'

const LATEST = '9999999999999999-0'

export function deadLetters(context: MemoryContext): DeadLetters {
  return {
    async count(number) {
      return context.partition(number).dead.length
    },
    async list(number, count, before) {
      // One more than asked for: it may be where it begins.
      return context.partition(number).dead.newest(before ?? LATEST, count + 1).filter(({ id }) => id !== before).slice(0, count)
    },
    async get(number, id) {
      return isOffset(id) ? (context.partition(number).dead.find(id) ?? null) : null
    },
    async replay(number, id) {
      const partition = context.partition(number)
      const letter = isOffset(id) ? partition.dead.find(id) : undefined
      if (!letter) return false
      if (Object.keys(letter.fields).length > 0) partition.sources[letter.stream].append(letter.fields)
      partition.dead.remove(id)
      partition.sourceBell.ring()
      return true
    },
    async drop(number, id) {
      return isOffset(id) && context.partition(number).dead.remove(id)
    },
  }
}
