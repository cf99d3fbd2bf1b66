/** Whether this machine's clock and the hub's agree: every age on the page, and every time to come, is told by this one. */
import { useEffect, useState } from 'react'
import type { Cursor } from '@hubbub/client'
import { useHubbub } from '@hubbub/react'
import { timeOf } from './story'

const LOOK_MS = 2000
/** For the way from the journal to here. */
const WAY_MS = 2000
/** Less makes no age wrong that anybody would act on. */
const WORTH_MS = 10_000
/** It is told in such steps: a figure that trembles tells no more. */
const STEP_MS = 5000
/** Looks in a row that agree before this clock is called fast: what is new to us may be old, by a reading of history or a bookmark. */
const LOOKS = 4
const AGREE_MS = 3000

/**
 * ms by which this machine's clock is ahead of the hub's at least; negative: behind. Undefined while they agree, or nobody knows. Nothing was
 * recorded later than now: that proves that a clock is slow. What comes live was recorded since the last look, as long as one follows
 * the other; a quiet hub says nothing.
 */
export function useSkew(): number | undefined {
  const hub = useHubbub()
  const [skew, setSkew] = useState<number>()
  useEffect(() => {
    let last: Look | undefined
    // What comes behind an interruption may be old.
    const off = hub.onState(() => (last = undefined))
    const timer = setInterval(() => {
      const next = hub.state === 'live' ? lookAt(hub.cursor, last) : undefined
      if (next && next.cursor !== last?.cursor) setSkew((shown) => skewOf(next, shown))
      last = next
    }, LOOK_MS)
    return () => {
      off()
      clearInterval(timer)
    }
  }, [hub])
  return skew
}

interface Look {
  cursor: Cursor | undefined
  at: number
  /** ms that the newest event seems to be old: at most so far this clock is ahead. */
  most: number | undefined
  /** At least so far, if it came live. */
  least: number
  /** Looks before it in a row that said the same. */
  agreed: number
}

function lookAt(cursor: Cursor | undefined, last: Look | undefined): Look {
  const at = Date.now()
  const recordedAt = timeOf(cursor)
  const most = recordedAt === undefined ? undefined : at - recordedAt
  const least = (most ?? 0) - (at - (last?.at ?? at)) - WAY_MS
  const isAgreed = cursor !== last?.cursor && most !== undefined && last?.most !== undefined && Math.abs(most - last.most) < AGREE_MS
  return { cursor, at, most, least, agreed: isAgreed ? last.agreed + 1 : 0 }
}

function skewOf({ most, least, agreed }: Look, shown: number | undefined): number | undefined {
  if (most === undefined) return shown
  if (most < -WORTH_MS) return stepped(most)
  if (least > WORTH_MS) return agreed >= LOOKS ? stepped(least) : shown
  return undefined
}

function stepped(ms: number): number {
  return Math.round(ms / STEP_MS) * STEP_MS
}
