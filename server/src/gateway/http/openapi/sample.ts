/** The least value that a schema takes, for examples: required fields only, ids and times that look like some. Only of our own schemas' kinds. */
import { NAMED_SHAPES } from '@hubbub/protocol/catalogue'
import { SAMPLES } from '../endpoints/samples.js'

/** What this reads of a JSON Schema. */
export interface Read {
  $ref?: string
  title?: string
  type?: string | string[]
  const?: unknown
  enum?: unknown[]
  anyOf?: Read[]
  oneOf?: Read[]
  allOf?: Read[]
  items?: Read
  properties?: Record<string, Read>
  required?: string[]
  minimum?: number
  minItems?: number
  pattern?: string
  format?: string
  description?: string
  patternProperties?: Record<string, Read>
  not?: Read
}

/** Whose field it is tells what kind of id it holds. */
const IDS: Readonly<Record<string, string>> = {
  taskId: SAMPLES.task.id, agentId: SAMPLES.agent.id, pipelineId: SAMPLES.pipeline.id, streamId: SAMPLES.stream.id, checkpointId: SAMPLES.checkpoint.id, runId: SAMPLES.run.id, threadId: 'TH-1', taskType: 'test',
}
const MOMENT = '2026-11-21T10:00:00.000Z'

export function sample(schema: Read, name = ''): unknown {
  if (schema.$ref !== undefined) return sample(NAMED_SHAPES[nameOf(schema.$ref)] as Read, name)
  if (schema.const !== undefined) return schema.const
  if (schema.enum !== undefined) return schema.enum[0]
  const first = (schema.anyOf ?? schema.oneOf)?.[0]
  if (first !== undefined) return sample(first, name)
  switch ([schema.type].flat()[0]) {
    case 'object':
      return Object.fromEntries((schema.required ?? []).map((key) => [key, sample(schema.properties?.[key] ?? {}, key)]))
    case 'array':
      return Array.from({ length: schema.minItems ?? 0 }, () => sample(schema.items ?? {}, name))
    case 'integer':
    case 'number':
      return schema.minimum ?? 1
    case 'boolean':
      return true
    case 'null':
      return null
    case 'string':
      return textOf(schema, name)
    default:
      return { any: 'JSON' }
  }
}

export function nameOf(ref: string): string {
  return ref.slice(ref.lastIndexOf('/') + 1)
}

function textOf({ title, format, pattern }: Read, name: string): string {
  if (title === 'ISO 8601 Z' || format === 'date-time') return MOMENT
  return IDS[name] ?? (title === 'id' || pattern !== undefined ? `${name}-1` : `a ${name || 'text'}`)
}
