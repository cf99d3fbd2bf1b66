/** `subscribe { event_type, filters }`: by the types of events, narrowed to a pipeline, its stage, a task, an agent, or fields of the payload. */
import { HubError } from '@hubbub/protocol'
import { camelCase, typeNamed } from './names.js'

type Fields = Readonly<Record<string, unknown>>

export interface Asked {
  request: { topics: string[]; types?: string[]; since?: unknown }
  /** Canonical types and patterns of types; what `unsubscribe` names. */
  types: readonly string[]
}

/** @throws HubError INVALID_MESSAGE */
export function asked(payload: Fields): Asked {
  const types = typesIn(payload)
  const { topics, filter } = narrowed(filtersIn(payload))
  const named = payload['topics'] === undefined ? topics : textsIn(payload['topics'], 'topics')
  if (types === undefined && named === undefined) throw wrong('event_type', 'is missing: an event type, *, or a list of them')
  const options = { since: payload['since'], snapshot: payload['snapshot'], batchMs: payload['batch_ms'], latestOnly: payload['latest_only'] }
  const chosen = types !== undefined && !types.includes('*') && { types }
  return { request: { ...options, topics: named ?? ['*'], ...chosen, ...(Object.keys(filter).length > 0 && { filter }) }, types: types ?? ['*'] }
}

/** Undefined: none were named. @throws HubError INVALID_MESSAGE */
export function typesIn(payload: Fields): string[] | undefined {
  const given = payload['event_type'] ?? payload['event_types']
  return given === undefined ? undefined : [...new Set(textsIn(given, 'event_type').map(typeNamed))]
}

function filtersIn({ filters = {} }: Fields): Fields {
  if (filters === null) return {}
  if (typeof filters !== 'object' || Array.isArray(filters)) throw wrong('filters', 'is no object')
  return filters as Fields
}

/** What has topics of its own is looked up by topic, not by going through everything. */
function narrowed(filters: Fields): { topics?: string[]; filter: Record<string, unknown> } {
  const { pipeline_id: pipeline, stage, task_id: task, agent_id: agent, ...rest } = filters
  const filter = Object.fromEntries(Object.entries(rest).map(([name, value]) => [camelCase(name), single(name, value)]))
  if (pipeline !== undefined) {
    const topic = `pipeline:${idOf(pipeline, 'pipeline_id')}${stage === undefined ? '' : `:stage:${stageOf(stage)}`}`
    return { topics: [topic], filter: { ...filter, ...(task !== undefined && { taskId: task }), ...(agent !== undefined && { agentId: agent }) } }
  }
  if (stage !== undefined) filter['stage'] = stage
  if (task !== undefined) return { topics: [`task:${idOf(task, 'task_id')}`], filter: { ...filter, ...(agent !== undefined && { agentId: agent }) } }
  return agent === undefined ? { filter } : { topics: [`agent:${idOf(agent, 'agent_id')}`], filter }
}

/** A list of one is that one; of several values an event's field could only be one. */
function single(name: string, value: unknown): unknown {
  if (!Array.isArray(value)) return value
  if (value.length !== 1) throw wrong(`filters.${name}`, 'holds more or less than one value: subscribe once for each')
  return value[0] as unknown
}

function idOf(value: unknown, name: string): string {
  if (typeof value !== 'string' || value === '') throw wrong(`filters.${name}`, 'is no text')
  return value
}

function stageOf(value: unknown): number {
  if (!Number.isInteger(value)) throw wrong('filters.stage', 'is no integer')
  return value as number
}

function textsIn(value: unknown, path: string): string[] {
  const texts: unknown[] = Array.isArray(value) ? value : [value]
  if (texts.length === 0 || !texts.every((text) => typeof text === 'string')) throw wrong(path, 'is neither a text nor a list of texts')
  return texts
}

function wrong(path: string, problem: string): HubError {
  return new HubError('INVALID_MESSAGE', `${path} ${problem}.`, { path, problem })
}
