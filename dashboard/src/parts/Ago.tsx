import { useSyncExternalStore, type ReactNode } from 'react'

/** One clock for all of them: a hundred ages are one timer. */
const listeners = new Set<() => void>()
let now = Date.now()
let timer: ReturnType<typeof setInterval> | undefined

function follow(listener: () => void): () => void {
  listeners.add(listener)
  if (!timer) now = Date.now()
  timer ??= setInterval(() => {
    now = Date.now()
    for (const one of listeners) one()
  }, 1000)
  return () => {
    listeners.delete(listener)
    if (listeners.size > 0) return
    clearInterval(timer)
    timer = undefined
  }
}

/** The time, by the second. */
export function useNow(): number {
  return useSyncExternalStore(follow, () => now, () => now)
}

/** @param at ISO 8601, or ms since the epoch */
export function Ago({ at, prefix = '' }: { at: string | number | undefined; prefix?: string }): ReactNode {
  const current = useNow()
  const ms = at === undefined ? Number.NaN : typeof at === 'number' ? at : Date.parse(at)
  if (Number.isNaN(ms)) return <span>—</span>
  return <time dateTime={new Date(ms).toISOString()} title={new Date(ms).toLocaleString()}>{prefix}{ago(current - ms)}</time>
}

export function ago(ms: number): string {
  if (ms < 1500) return 'now'
  return `${duration(ms)} ago`
}

/** Two units at most: `3 min 20 s`, `2 h 5 min`. */
export function duration(ms: number): string {
  const s = Math.max(0, Math.round(ms / 1000))
  if (ms < 1000) return `${Math.max(0, Math.round(ms))} ms`
  if (s < 60) return `${s} s`
  if (s < 600) return `${Math.floor(s / 60)} min ${s % 60} s`
  if (s < 3600) return `${Math.floor(s / 60)} min`
  if (s < 86_400) return `${Math.floor(s / 3600)} h ${Math.floor(s / 60) % 60} min`
  return `${Math.floor(s / 86_400)} d ${Math.floor(s / 3600) % 24} h`
}
