/** The message format of `useWebSocket`, with the names that its events had before they were dotted. */
import type { HubEvent } from '@hubbub/client'
import { canonicalType } from '@hubbub/protocol'

export interface WebSocketMessage<D = unknown> {
  id: string
  /** `agent_status`, `test_result`, `workflow_started`, ...; a type without such a name keeps its own, `task.completed`. */
  type: string
  /** ms since the epoch */
  timestamp: number
  data: D
  metadata: { version: string; source: string; correlationId?: string }
}

export interface OutgoingMessage {
  /** Idempotency key; default a UUID. */
  id?: string
  /** An old name or a type of the catalogue. */
  type: string
  /** ms since the epoch, default now. */
  timestamp?: number
  data?: unknown
  metadata?: { version?: string; correlationId?: string }
}

/** Several aliases may mean one type: these are the names that this format has for them. */
const NAMES = [
  'agent_status', 'agent_task_update', 'agent_log', 'agent_metric', 'agent_error', 'tdd_phase_change', 'test_result', 'coverage_update', 'workflow_started',
  'workflow_step_complete', 'workflow_complete', 'workflow_failed', 'system_notification', 'system_alert', 'deployment_status', 'github_issue_update',
  'github_pr_update', 'github_workflow_update',
] as const

const BY_TYPE: ReadonlyMap<string | undefined, string> = new Map(NAMES.map((name) => [canonicalType(name), name]))

export function messageOf(event: HubEvent): WebSocketMessage {
  const { id, type, timestamp, data, metadata } = event
  const { version, source, correlationId } = metadata
  return { id, type: BY_TYPE.get(type) ?? type, timestamp, data, metadata: { version, source, ...(correlationId !== undefined && { correlationId }) } }
}
