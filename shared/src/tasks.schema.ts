/** Validators of what is ordered of tasks, over HTTP and by command. A field that nobody knows is refused: misspelt, it would be lost. */
import { Type } from 'typebox'
import { Compile } from 'typebox/compile'
import { refusal } from './catalogue/problems.js'
import { Count, Id, maybe } from './catalogue/scalars.js'
import { parseIso } from './clock.js'
import type { TaskCancel, TaskChanges, TaskOrder } from './messages.js'
import { form, type SignalLimits } from './messages.schema.js'
import { weigh } from './weigh.js'

const MAX_DEPENDENCIES = 100
const MAX_REQUIRED = 50
const closed = { additionalProperties: false }
const Name = Type.String({ minLength: 1, maxLength: 128 })
const Named = Type.Enum(['low', 'normal', 'medium', 'high', 'urgent', 'critical'])

const changeable = {
  title: maybe(Type.String({ maxLength: 500 })),
  parameters: maybe(Type.Object({})),
  deadline: maybe(Type.String({ maxLength: 40 })),
  priority: maybe(Type.Union([Type.Integer(), Named])),
  requires: maybe(Type.Array(Name, { maxItems: MAX_REQUIRED })),
}
const ORDER = Compile(Type.Object(
  {
    id: maybe(Id), type: Name, ...changeable, pipelineId: maybe(Id), stage: maybe(Count), streamId: maybe(Id),
    dependsOn: maybe(Type.Array(Id, { maxItems: MAX_DEPENDENCIES })), agentType: maybe(Name), agentId: maybe(Id),
  },
  closed,
))
const CHANGES = Compile(Type.Object(changeable, closed))
const CANCEL = Compile(Type.Object({ taskId: Id, reason: maybe(Type.String({ maxLength: 500 })) }, closed))

/** For the documents. */
export const TASK_REQUESTS = { 'task.order': ORDER.Type(), 'task.changes': CHANGES.Type(), 'task.cancel': CANCEL.Type() }

/** Times in UTC, lists without repetitions. @throws HubError INVALID_MESSAGE, VALIDATION_ERROR, PAYLOAD_TOO_LARGE */
export function checkTaskOrder(input: unknown, limits: SignalLimits): TaskOrder {
  const order = settled(form(ORDER, input), limits) as unknown as TaskOrder
  if (order.stage !== undefined && order.pipelineId === undefined) throw refusal('INVALID_MESSAGE', [{ path: 'stage', problem: 'needs a pipelineId' }])
  return order
}

/** At least one. @throws HubError INVALID_MESSAGE, VALIDATION_ERROR, PAYLOAD_TOO_LARGE */
export function checkTaskChanges(input: unknown, limits: SignalLimits): TaskChanges {
  const changes = settled(form(CHANGES, input), limits) as TaskChanges
  if (Object.keys(changes).length === 0) throw refusal('INVALID_MESSAGE', [{ path: '', problem: `names nothing to change: ${Object.keys(changeable).join(', ')}` }])
  return changes
}

/** @throws HubError INVALID_MESSAGE */
export function checkTaskCancel(input: unknown): TaskCancel {
  return { ...(form(CANCEL, input) as unknown as TaskCancel) }
}

/** A copy; the form was checked. */
function settled(message: Record<string, unknown>, limits: SignalLimits): Record<string, unknown> {
  const found = Object.fromEntries(Object.entries(message).filter(([, value]) => value !== undefined))
  const { parameters, deadline, requires, dependsOn } = found
  if (parameters !== undefined) weigh(parameters, { maxBytes: limits.maxEventBytes, maxDepth: limits.maxDepth }, 'parameters')
  if (typeof deadline === 'string') {
    const millis = parseIso(deadline)
    if (Number.isNaN(millis)) throw refusal('INVALID_MESSAGE', [{ path: 'deadline', problem: 'is no ISO 8601 time' }])
    found['deadline'] = new Date(millis).toISOString()
  }
  if (Array.isArray(requires)) found['requires'] = [...new Set(requires)]
  if (Array.isArray(dependsOn)) found['dependsOn'] = [...new Set(dependsOn)]
  return found
}
