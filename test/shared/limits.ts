import type { EventLimits } from '@hubbub/protocol/catalogue'
import { HubError, type Failure } from '@hubbub/protocol'

/** The defaults of the settings table. */
export const LIMITS: EventLimits = { maxEventBytes: 65_536, maxSnapshotBytes: 1_048_576, maxDepth: 32 }

/** The failure that `act` ends in. */
export function failureOf(act: () => unknown): Failure {
  try {
    act()
  } catch (error) {
    if (error instanceof HubError) return error.toJSON()
    throw error
  }
  throw new Error('nothing was refused')
}
