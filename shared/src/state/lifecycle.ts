/**
 * The life of a managed task. Of an observed one its reporters tell whatever they see; of a managed one only these steps are taken,
 * and its end is final.
 *
 *   blocked <--> pending --> delegated --> accepted --> in_progress <--> paused, blocked (its holder waits for something)
 *                   ^            |             |              |               |
 *                   +------------+-------------+--------------+---------------+     released: rejected, not accepted, lease lost
 *                                |             |              |               |
 *                                +-------------+--------------+---------------+---> completed
 *      from anywhere: failed (deadline, dependency, tries), cancelled
 */
import type { TaskStatus } from './entities.js'

/** Complete: a status without a row does not compile. */
export const TASK_STEPS = {
  pending: ['delegated', 'blocked', 'failed', 'cancelled'],
  // Whoever reports work without having accepted it has accepted it.
  delegated: ['accepted', 'in_progress', 'paused', 'blocked', 'pending', 'completed', 'failed', 'cancelled'],
  accepted: ['in_progress', 'paused', 'blocked', 'pending', 'completed', 'failed', 'cancelled'],
  in_progress: ['paused', 'blocked', 'pending', 'completed', 'failed', 'cancelled'],
  paused: ['in_progress', 'blocked', 'pending', 'completed', 'failed', 'cancelled'],
  blocked: ['pending', 'in_progress', 'paused', 'completed', 'failed', 'cancelled'],
  completed: [],
  failed: [],
  cancelled: [],
} as const satisfies Record<TaskStatus, readonly TaskStatus[]>

export function mayStep(from: TaskStatus, to: TaskStatus): boolean {
  return (TASK_STEPS[from] as readonly TaskStatus[]).includes(to)
}
