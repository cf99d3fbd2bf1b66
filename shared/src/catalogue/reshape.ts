/**
 * What changes in `data` when an event comes under another name than its canonical one. Only top-level fields are touched, always in a
 * copy. One event in, one event out: an old `tool_call.end` that carries arguments and result at once becomes one TOOL_CALL_END with
 * both as extra fields, not three AG-UI events; one id, one ack and one journal entry belong to one publish (I3).
 */
import { isPlainObject } from '../weigh.js'

type Data = Record<string, unknown>

export interface Reshaped {
  data: Data
  /** Topics that the old form's fields name but the new form has no field for. */
  topics?: string[]
}

/** Undefined: the alias only renames the type. */
export function reshape(alias: string, data: Data): Reshaped | undefined {
  const change = CHANGES.get(alias)
  if (change !== undefined) return change(data)
  return alias.startsWith('pipeline:') ? flattened(data) : undefined
}

const CHANGES: ReadonlyMap<string, (data: Data) => Reshaped | undefined> = new Map<string, (data: Data) => Reshaped | undefined>([
  // The only name under which progress is a ratio. Rounded, so that 0.29 is 29 and not 28.999999999999996.
  ['progress_update', (data) => ({
    data: typeof data['progress'] === 'number' ? { ...data, progress: Math.round(data['progress'] * 1e10) / 1e8 } : data,
  })],
  ['workflow_started', workflow],
  ['workflow_step_complete', workflow],
  ['workflow_complete', workflow],
  ['workflow_failed', workflow],
  ['message.delta', (data) => agui(data, 'TEXT_MESSAGE_CONTENT', {
    messageId: first(data, ['messageId', 'message_id', 'id', 'taskId', 'task_id']),
    delta: first(data, ['delta', 'content', 'text']),
  })],
  ['tool_call.start', (data) => agui(data, 'TOOL_CALL_START', {
    toolCallId: toolCallId(data),
    toolCallName: toolName(data),
  })],
  ['tool_call.end', (data) => agui(data, 'TOOL_CALL_END', { toolCallId: toolCallId(data) })],
  ['state.patch', (data) => agui(data, 'STATE_DELTA', { delta: data['delta'] ?? data['patch'] ?? data['operations'] })],
])

/** Workflows are pipelines. */
function workflow(data: Data): Reshaped | undefined {
  const pipelineId = first(data, ['pipelineId', 'pipeline_id', 'workflowId', 'workflow_id'])
  return pipelineId === undefined ? undefined : { data: { ...data, pipelineId } }
}

/** `pipeline:<name>` nests the engine's own payload beside the pipeline's id; the outer fields win. */
function flattened(data: Data): Reshaped | undefined {
  const { payload, ...outer } = data
  return isPlainObject(payload) ? { data: { ...payload, ...outer } } : undefined
}

/** AG-UI events have no task or agent field: those become topics. The old fields stay as extras. */
function agui(data: Data, type: string, fields: Data): Reshaped {
  const topics: string[] = []
  const task = first(data, ['taskId', 'task_id'])
  const agent = first(data, ['agentId', 'agent_id'])
  if (task !== undefined) topics.push(`task:${task}`)
  if (agent !== undefined) topics.push(`agent:${agent}`)
  return { data: { ...data, ...fields, type }, topics }
}

/** Start and end of one call must name the same id: the task's, with the tool's name when it has one. */
function toolCallId(data: Data): string | undefined {
  const own = first(data, ['toolCallId', 'tool_call_id', 'id'])
  if (own !== undefined) return own
  const task = first(data, ['taskId', 'task_id'])
  const tool = toolName(data)
  return task !== undefined && tool !== undefined ? `${task}:${tool}` : task
}

function toolName(data: Data): string | undefined {
  return first(data, ['toolCallName', 'tool_call_name', 'toolName', 'tool_name', 'name'])
}

/** The first of the fields that holds a text. */
function first(data: Data, names: readonly string[]): string | undefined {
  for (const name of names) {
    const value = data[name]
    if (typeof value === 'string' && value !== '') return value
  }
  return undefined
}
