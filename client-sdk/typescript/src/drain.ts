/** An orderly end for agents that are processes. Nothing of Node is imported: elsewhere there are no signals, and this does nothing. */
import type { Agent, DrainOptions } from './agent.js'

/** What Node's `process` has. */
interface SignalSource {
  once(signal: string, handler: () => void): unknown
  off(signal: string, handler: () => void): unknown
}

/**
 * The first of the signals, by default SIGTERM and SIGINT, drains the agent: the process ends by itself when nothing else keeps it. The
 * second one ends it at once, as if nobody listened. `options` are those of `agent.drain`. Answers how to listen no more.
 */
export function drainOnSignals(agent: Pick<Agent, 'drain'>, signals: readonly string[] = ['SIGTERM', 'SIGINT'], options: DrainOptions = {}): () => void {
  const { process } = globalThis as { process?: Partial<SignalSource> }
  const stop = (): void => {
    for (const signal of signals) process?.off?.(signal, drain)
  }
  const drain = (): void => {
    stop()
    void agent.drain(options)
  }
  for (const signal of signals) process?.once?.(signal, drain)
  return stop
}
