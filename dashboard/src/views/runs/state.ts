/** The state that a run shows of itself: what is told, never what is guessed. */
import { applyPatch, PatchFailed } from '@hubbub/client'
import type { Operation } from './agui'

export interface RunState {
  readonly value: unknown
  /** Something of it was told. */
  readonly isTold: boolean
  /** Changes that could not be applied, since it was told whole: what is shown may be wrong. */
  readonly failed: number
  /** Why the last of them could not. */
  readonly why?: string
  /** Events are missing since it was told whole: changes lie on something unknown, and are left out. */
  readonly isStale: boolean
  readonly changedAt?: number
}

/** As AG-UI has it before anything was told. */
export const NO_STATE: RunState = { value: {}, isTold: false, failed: 0, isStale: false }

export function told(value: unknown, at: number): RunState {
  return { value, isTold: true, failed: 0, isStale: false, changedAt: at }
}

export function changedBy(state: RunState, patch: readonly Operation[], at: number): RunState {
  if (state.isStale) return { ...state, isTold: true, failed: state.failed + 1, why: 'it lies on a state that is not known' }
  try {
    return { ...state, value: applyPatch(state.value, patch), isTold: true, changedAt: at }
  } catch (error) {
    if (!(error instanceof PatchFailed)) throw error
    return { ...state, isTold: true, failed: state.failed + 1, why: error.message }
  }
}

/** Events are missing from here on. */
export function stale(state: RunState): RunState {
  return { ...state, isStale: true }
}
