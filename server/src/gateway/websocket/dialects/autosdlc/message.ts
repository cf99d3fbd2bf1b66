/** `{ id, type, timestamp, data, metadata }`: what every message of this dialect is, and the names of event types in it. */
import { randomUUID } from 'node:crypto'
import type { Cursor, HubEvent } from '@hubbub/protocol'
import { nameOf, type Names } from '../names.js'

/** Types without a name of their own here keep the canonical one. */
export const NAMES: Names = {
  'agent.status_changed': 'agent_status',
  'task.progress': 'agent_task_update',
  'agent.log': 'agent_log',
  'agent.metric': 'agent_metric',
  'agent.error': 'agent_error',
  'tdd.phase_changed': 'tdd_phase_change',
  'tdd.test_result': 'test_result',
  'tdd.coverage_updated': 'coverage_update',
  'pipeline.started': 'workflow_started',
  'pipeline.step_completed': 'workflow_step_complete',
  'pipeline.completed': 'workflow_complete',
  'pipeline.failed': 'workflow_failed',
  'system.notification': 'system_notification',
  'system.alert': 'system_alert',
  'system.deployment_status': 'deployment_status',
  'github.issue_updated': 'github_issue_update',
  'github.pr_updated': 'github_pr_update',
  'github.workflow_updated': 'github_workflow_update',
}

const OF_HUB = { version: '1.0', source: '/hub' }

/** The hub's own words. @param correlationId the `id` of the message that is answered */
export function said(type: string, data: object, correlationId?: unknown): object {
  const metadata = typeof correlationId === 'string' ? { ...OF_HUB, correlationId } : OF_HUB
  return { id: randomUUID(), type, timestamp: Date.now(), data, metadata }
}

/** @param data in place of the event's own: compressed */
export function shown({ id, type, timestamp, data, topics, metadata }: HubEvent, cursor: Cursor, compressed?: string): object {
  const named = { id, type: nameOf(NAMES, type), timestamp }
  return compressed === undefined
    ? { ...named, data, metadata: { ...metadata, topics, cursor } }
    : { ...named, data: compressed, metadata: { ...metadata, compressed: true, topics, cursor } }
}
