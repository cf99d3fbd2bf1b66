/** Fields that derived events have in common. */
import type { Task } from '@hubbub/protocol'

/** Which task, and what people call it. */
export function nameOfTask({ id, title }: Task): { taskId: string; taskTitle?: string } {
  return title === undefined ? { taskId: id } : { taskId: id, taskTitle: title }
}

/** Where a task belongs. */
export function placeOfTask({ pipelineId, stage, streamId }: Task): Record<string, unknown> {
  return {
    ...(pipelineId === undefined ? {} : { pipelineId }),
    ...(pipelineId === undefined || stage === undefined ? {} : { stage }),
    ...(streamId === undefined ? {} : { streamId }),
  }
}

export function isoAt(ms: number): string {
  return new Date(ms).toISOString()
}
