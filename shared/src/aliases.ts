/**
 * Other names of events, as older clients and engines send them. An explicit table: `agent_task_update` is `task.progress`,
 * which no rule about separators would find. Names of commands and of answers are not events and not here.
 */

export const ALIASES: Readonly<Record<string, string>> = {
  // connections and the protocol's own messages: resolved, so that a refusal names what was meant
  'websocket:connected': 'connection.opened',
  connect: 'connection.opened',
  connection_established: 'connection.opened',
  connected: 'connection.opened',
  'websocket:disconnected': 'connection.closed',
  disconnect: 'connection.closed',
  connection_closed: 'connection.closed',
  disconnected: 'connection.closed',
  ping: 'connection.ping',
  pong: 'connection.pong',
  error: 'hub.error',
  auth_success: 'auth.succeeded',
  auth_failure: 'auth.failed',
  subscription_update: 'subscription.updated',

  // agents
  'agent:registered': 'agent.registered',
  'agent:heartbeat': 'agent.heartbeat',
  'agent:status_update': 'agent.status_changed',
  agent_status: 'agent.status_changed',
  agent_status_change: 'agent.status_changed',
  agent_log: 'agent.log',
  agent_metric: 'agent.metric',
  agent_error: 'agent.error',
  agent_output: 'agent.output',

  // tasks
  'task:delegate': 'task.delegate',
  'task:accepted': 'task.accepted',
  'task:rejected': 'task.rejected',
  'task:result': 'task.result',
  'task:progress': 'task.progress',
  'task:progress_updated': 'task.progress',
  agent_task_update: 'task.progress',
  progress_update: 'task.progress',
  confidence_update: 'task.confidence_updated',
  task_updated: 'task.updated',
  task_started: 'task.started',
  'task:completed': 'task.completed',
  task_completed: 'task.completed',
  'task:failed': 'task.failed',
  task_failed: 'task.failed',
  task_paused: 'task.paused',

  // pipelines; `pipeline:<name>` is `pipeline.<name>` for every other name
  'pipeline:task_completed': 'pipeline.task_completed',
  workflow_started: 'pipeline.started',
  workflow_step_complete: 'pipeline.step_completed',
  workflow_complete: 'pipeline.completed',
  workflow_failed: 'pipeline.failed',

  // test-driven work, gates, signals
  tdd_phase_change: 'tdd.phase_changed',
  test_result: 'tdd.test_result',
  coverage_update: 'tdd.coverage_updated',
  gate_running: 'gate.running',
  signal_detected: 'signal.detected',
  custom: 'custom.event',

  // the system and GitHub
  system_notification: 'system.notification',
  system_alert: 'system.alert',
  deployment_status: 'system.deployment_status',
  github_issue_update: 'github.issue_updated',
  github_pr_update: 'github.pr_updated',
  github_workflow_update: 'github.workflow_updated',

  // AG-UI, before it had its present names
  'message.delta': 'agui.text_message_content',
  'tool_call.start': 'agui.tool_call_start',
  'tool_call.end': 'agui.tool_call_end',
  'state.patch': 'agui.state_delta',
}

/** Other names of the messages that are no events: `agent:heartbeat` is an event's name, and stands above. */
export const MESSAGE_ALIASES: Readonly<Record<string, string>> = {
  'agent:register': 'agent.register',
  'system:health_check': 'system.health_check',
}

/** Other names of commands: both mean the same wherever a command is named. */
export const COMMAND_ALIASES: Readonly<Record<string, string>> = {
  start_task: 'task.start',
  cancel_execution: 'execution.cancel',
  create_branch: 'git.create_branch',
}

export function canonicalCommand(name: string): string {
  return Object.hasOwn(COMMAND_ALIASES, name) ? COMMAND_ALIASES[name]! : name
}

/** All names of a command, the canonical one first. */
export function commandNames(name: string): string[] {
  const canonical = canonicalCommand(name)
  return [canonical, ...Object.keys(COMMAND_ALIASES).filter((alias) => COMMAND_ALIASES[alias] === canonical)]
}

const NAMES: ReadonlyMap<string, string> = new Map(Object.entries(ALIASES))
const PIPELINE_NAME = /^pipeline:([a-z0-9]+(?:_[a-z0-9]+)*)$/

/** The canonical type of an alias; undefined when the name is no alias (a canonical name is none). */
export function canonicalType(name: string): string | undefined {
  const known = NAMES.get(name)
  if (known !== undefined || name.length > 128) return known
  const match = PIPELINE_NAME.exec(name)
  return match ? `pipeline.${match[1]}` : undefined
}
