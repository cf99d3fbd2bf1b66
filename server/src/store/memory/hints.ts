import type { AckHints } from '../port.js'
import type { AckListener, MemoryContext } from './context.js'

/** Nothing interrupts a subscription inside one process, so `null` never comes. */
export function ackHints(context: MemoryContext): AckHints {
  return {
    async listen(worker, partitions, onAcks) {
      const listener: AckListener = (pairs) => onAcks(pairs)
      const addresses = partitions.map((number) => `${number}:${worker}`)
      for (const address of addresses) {
        const listeners = context.listeners.get(address) ?? new Set()
        context.listeners.set(address, listeners.add(listener))
      }
      return async () => {
        for (const address of addresses) {
          const listeners = context.listeners.get(address)
          listeners?.delete(listener)
          if (listeners?.size === 0) context.listeners.delete(address)
        }
      }
    },
  }
}
