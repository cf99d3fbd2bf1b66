/** Names of event types as a dialect has them; types without one keep their own. */

/** An encoder's view of a table: canonical type to the dialect's name. */
export type Names = Readonly<Record<string, string>>

export function nameOf(names: Names, type: string): string {
  return Object.hasOwn(names, type) ? names[type]! : type
}

/** Of `/ws/tasks/:taskId`. AG-UI's by the names they had there. */
export const TASK_NAMES: Names = {
  'connection.opened': 'connection_established',
  'connection.closed': 'connection_closed',
  'task.started': 'task_started',
  'task.updated': 'task_updated',
  'task.completed': 'task_completed',
  'task.failed': 'task_failed',
  'task.paused': 'task_paused',
  'task.progress': 'progress_update',
  'task.confidence_updated': 'confidence_update',
  'agent.status_changed': 'agent_status_change',
  'agui.text_message_content': 'message.delta',
  'agui.tool_call_start': 'tool_call.start',
  'agui.tool_call_end': 'tool_call.end',
  'agui.state_delta': 'state.patch',
}

/** Of `/ws/:project`. */
export const PROJECT_NAMES: Names = {
  'task.started': 'task_started',
  'task.updated': 'task_updated',
  'task.completed': 'task_completed',
  'task.failed': 'task_failed',
  'task.progress': 'task_progress',
  'agent.output': 'agent_output',
  'gate.running': 'gate_running',
  'signal.detected': 'signal_detected',
  'custom.event': 'custom',
}

/** `taskId` as `task_id`; names without capitals stay. */
export function snakeCase(name: string): string {
  return name.replaceAll(/[A-Z]/g, (capital) => `_${capital.toLowerCase()}`)
}
