/** Figures of the last minutes, as this page has seen them: the hub itself keeps none. Outside of React, bounded, and of one hub. */
import { useMemo } from 'react'
import type { Client, Overview } from '@hubbub/client'
import { useHubbub } from '@hubbub/react'

/** Five minutes, asked every two seconds. */
const KEPT = 150
/** ms between two answers: longer than that something is missing between them. */
const HOLE_MS = 6500

type Rates = Overview['rates']

export interface Moment {
  at: number
  rates: Rates
  commitP95: number | null
  deliveryP95: number | null
  lag: number
}

/** The oldest first; null where nothing was heard. */
export type Course = readonly (Moment | null)[]

const courses = new WeakMap<Client, Course>()

/** With the answer as its last moment. It goes on where it was when the view is shown again. */
export function useCourse(overview: Overview | undefined, at: number | undefined): Course {
  const hub = useHubbub()
  return useMemo(() => {
    const before = courses.get(hub) ?? []
    if (!overview || at === undefined) return before
    const last = before.at(-1)
    if (last && last.at >= at) return before
    const hole = last && at - last.at > HOLE_MS ? [null] : []
    const after = [...before, ...hole, momentOf(overview, at)].slice(-KEPT)
    courses.set(hub, after)
    return after
  }, [hub, overview, at])
}

function momentOf({ rates, latency, partitions }: Overview, at: number): Moment {
  return { at, rates, commitP95: latency.commit.p95, deliveryP95: latency.delivery.p95, lag: partitions.reduce((sum, { lag }) => sum + lag, 0) }
}

export function lineOf(course: Course, of: (moment: Moment) => number | null): (number | null)[] {
  return course.map((moment) => moment && of(moment))
}
