/**
 * CPU and memory of agents over the last minutes, outside of React and bounded: a slot each five seconds, so many agents at most. What
 * shows one of them is told once a second at most.
 */
import { useCallback, useSyncExternalStore } from 'react'
import type { HubEvent } from '@hubbub/client'
import { cpuOf, memoryOf } from './figures'

const SLOT_MS = 5000
/** Five minutes, of which one is drawn at least: a line of two beats must not look like a long story. */
const SLOTS = 60
const LEAST_SLOTS = 12
/** A figure holds until the next beat, and no longer than two of the usual ones (30 s). */
const HELD_SLOTS = 12
const MOST_AGENTS = 2000
const TELL_MS = 1000

/** The oldest first, one a slot; null: nothing was heard. */
export interface Course {
  readonly cpu: readonly (number | null)[]
  readonly memory: readonly (number | null)[]
}

export const NO_COURSE: Course = { cpu: [], memory: [] }
export const SAMPLE_TYPES = ['agent.heartbeat', 'agent.status_changed', 'agent.metric']

/** All of a track's memory from the first beat on: a page that is open for hours holds no more. NaN: nothing was heard. */
interface Track {
  cpu: Float64Array
  memory: Float64Array
  /** Slots that were heard of, at the lines' ends. */
  length: number
  /** Number of the newest slot, since the epoch. */
  slot: number
  heardAt: number
  course: Course | undefined
}

export class Samples {
  readonly #tracks = new Map<string, Track>()
  readonly #listeners = new Map<string, Set<() => void>>()
  readonly #changed = new Set<string>()
  #timer: ReturnType<typeof setTimeout> | undefined

  readonly take = (event: HubEvent): void => {
    const data = event.data as { agentId?: unknown; systemMetrics?: unknown; metrics?: unknown }
    const metrics = (event.type === 'agent.heartbeat' ? data.systemMetrics : data.metrics) as Readonly<Record<string, unknown>> | undefined
    if (typeof data.agentId !== 'string' || typeof metrics !== 'object' || metrics === null) return
    const cpu = cpuOf(metrics)
    const memory = memoryOf(metrics)
    if (cpu === undefined && memory === undefined) return
    const track = this.#track(data.agentId, Math.floor(event.metadata.recordedAt / SLOT_MS))
    if (cpu !== undefined) track.cpu[SLOTS - 1] = cpu
    if (memory !== undefined) track.memory[SLOTS - 1] = memory
    track.course = undefined
    this.#changed.add(data.agentId)
    if (this.#timer === undefined) this.#timer = setTimeout(this.#tell, TELL_MS)
  }

  course(agentId: string): Course {
    const track = this.#tracks.get(agentId)
    if (!track) return NO_COURSE
    return (track.course ??= { cpu: drawn(track.cpu, track.length), memory: drawn(track.memory, track.length) })
  }

  follow(agentId: string, listener: () => void): () => void {
    let listeners = this.#listeners.get(agentId)
    if (!listeners) this.#listeners.set(agentId, (listeners = new Set()))
    listeners.add(listener)
    return () => {
      listeners.delete(listener)
      if (listeners.size === 0 && this.#listeners.get(agentId) === listeners) this.#listeners.delete(agentId)
    }
  }

  /** The agent's, with the slot as its newest. An event of before the newest counts there. */
  #track(agentId: string, slot: number): Track {
    let track = this.#tracks.get(agentId)
    if (!track) {
      if (this.#tracks.size >= MOST_AGENTS) this.#tracks.delete(this.#tracks.keys().next().value!)
      this.#tracks.set(agentId, (track = { cpu: new Float64Array(SLOTS).fill(NaN), memory: new Float64Array(SLOTS).fill(NaN), length: 1, slot, heardAt: slot, course: undefined }))
    }
    const missed = slot - track.slot
    for (let step = 1; step <= Math.min(missed, SLOTS); step++) {
      const isHeld = track.slot + step - track.heardAt <= HELD_SLOTS
      for (const line of [track.cpu, track.memory]) {
        line.copyWithin(0, 1)
        if (!isHeld) line[SLOTS - 1] = NaN
      }
    }
    if (missed > 0) {
      track.slot = slot
      track.length = Math.min(SLOTS, track.length + missed)
    }
    track.heardAt = Math.max(track.heardAt, slot)
    return track
  }

  readonly #tell = (): void => {
    this.#timer = undefined
    const changed = [...this.#changed]
    this.#changed.clear()
    for (const agentId of changed) for (const listener of this.#listeners.get(agentId) ?? []) listener()
  }
}

function drawn(line: Float64Array, length: number): readonly (number | null)[] {
  return Array.from(line.subarray(SLOTS - Math.max(length, LEAST_SLOTS)), (value) => (Number.isNaN(value) ? null : value))
}

export function useCourse(samples: Samples, agentId: string): Course {
  const follow = useCallback((listener: () => void) => samples.follow(agentId, listener), [samples, agentId])
  return useSyncExternalStore(follow, () => samples.course(agentId))
}
