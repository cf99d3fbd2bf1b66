/** What the visitor must know of the connection: whether what is seen is true now, and if not, why and since when. */
import { useEffect, useRef, useState } from 'react'
import type { Cursor, Gap } from '@hubbub/client'
import { useConnection, useHubbub, type ConnectionView } from '@hubbub/react'

export interface Story {
  state: ConnectionView['state']
  transport: ConnectionView['transport']
  error: ConnectionView['error']
  /** ms since the epoch, of the present state. */
  since: number
  /** While it catches up: how far, 0 to 1, by the journal's time; undefined when that is not known. */
  caughtUp: number | undefined
  /** Events that can no longer be had, until the visitor has read it. */
  gaps: readonly Gap[]
  forgetGaps: () => void
}

const LOOK_MS = 200

export function useStory(): Story {
  const { state, transport, error } = useConnection()
  const hub = useHubbub()
  const [since, setSince] = useState(() => Date.now())
  const [gaps, setGaps] = useState<readonly Gap[]>([])
  const [caughtUp, setCaughtUp] = useState<number>()
  useEffect(() => setSince(Date.now()), [state])
  const begun = useRef<number>(undefined)
  useEffect(() => {
    if (state === 'live') begun.current ??= timeOf(hub.cursor)
  }, [state, hub])
  useEffect(() => hub.onGap((gap) => {
    // A view may ask for a past that is gone: it says so itself, and nobody missed anything.
    const from = timeOf(gap.from)
    if (from === undefined || begun.current === undefined || from < begun.current) return
    setGaps((before) => (before.some((known) => known.from === gap.from && known.to === gap.to) ? before : [...before, gap]))
  }), [hub])
  useEffect(() => {
    if (state !== 'catching-up') return setCaughtUp(undefined)
    const from = timeOf(hub.cursor)
    const timer = setInterval(() => setCaughtUp(share(from, timeOf(hub.cursor), Date.now())), LOOK_MS)
    return () => clearInterval(timer)
  }, [state, hub])
  return { state, transport, error, since, caughtUp, gaps, forgetGaps: () => setGaps([]) }
}

/** ms since the epoch; a cursor is opaque but for its time, which is the journal's. */
export function timeOf(cursor: Cursor | undefined): number | undefined {
  const ms = Number(/\.(\d+)-\d+$/.exec(cursor ?? '')?.[1])
  return Number.isFinite(ms) && ms > 0 ? ms : undefined
}

function share(from: number | undefined, at: number | undefined, now: number): number | undefined {
  if (from === undefined || at === undefined || now <= from) return undefined
  return Math.min(1, Math.max(0, (at - from) / (now - from)))
}
