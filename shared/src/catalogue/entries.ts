/**
 * The catalogue: every canonical event type with its schema, topics and what the way in needs to know of it.
 * `custom.<name>` and `pipeline.<name>` stand for whole families of names.
 */
import type { TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import { AGENT_FACTS } from './agent.js'
import { AGUI_FACTS } from './agui.js'
import { CHECKPOINT_FACTS } from './checkpoint.js'
import { describeFields, type Field } from './describe.js'
import type { Author, Fact } from './fact.js'
import { GITHUB_FACTS } from './github.js'
import { PIPELINE_FACTS, PIPELINE_OTHER } from './pipeline.js'
import { explain, type Problem } from './problems.js'
import { TIME_PATTERN } from './scalars.js'
import { STREAM_FACTS } from './stream.js'
import { CUSTOM, SYSTEM_FACTS } from './system.js'
import { TASK_FACTS } from './task.js'
import { TDD_FACTS } from './tdd.js'

export const FACTS = {
  ...AGENT_FACTS, ...TASK_FACTS, ...PIPELINE_FACTS, ...STREAM_FACTS, ...CHECKPOINT_FACTS, ...TDD_FACTS, ...SYSTEM_FACTS, ...GITHUB_FACTS, ...AGUI_FACTS,
}

export interface Entry {
  /** Canonical type; `custom.{name}` and `pipeline.{event}` for the two open families. */
  type: string
  family: string
  by: Author
  /** Fields that only the hub fills in. */
  hubFields: readonly string[]
  about: string
  topics: readonly string[]
  /** JSON Schema of `data`. */
  schema: TSchema
  fields: readonly Field[]
  /** Other spellings of top-level fields: `task_id` of `taskId`. Empty where `data` is carried verbatim. */
  spellings: ReadonlyMap<string, string>
  /** Top-level fields that hold a time. */
  times: readonly string[]
  /** Whether `data` fits; undefined when it does, otherwise its first problems. */
  check(data: unknown): Problem[] | undefined
}

export const CUSTOM_ENTRY = entryOf('custom.{name}', CUSTOM)
export const PIPELINE_ENTRY = entryOf('pipeline.{event}', PIPELINE_OTHER)

/** In the order of the documents. */
export const CATALOGUE: readonly Entry[] = [...Object.entries(FACTS).map(([type, fact]) => entryOf(type, fact)), PIPELINE_ENTRY, CUSTOM_ENTRY]

const BY_TYPE: ReadonlyMap<string, Entry> = new Map(CATALOGUE.map((entry) => [entry.type, entry]))
const OPEN_NAME = /^(custom|pipeline)(\.[a-z0-9]+(_[a-z0-9]+)*)+$/

/** The entry of a canonical type; undefined when there is no such type. */
export function findEntry(type: string): Entry | undefined {
  const entry = BY_TYPE.get(type)
  if (entry !== undefined) return entry
  if (type.length > 128 || !OPEN_NAME.test(type)) return undefined
  return type.startsWith('custom.') ? CUSTOM_ENTRY : PIPELINE_ENTRY
}

function entryOf(type: string, fact: Fact): Entry {
  const family = type.slice(0, type.indexOf('.'))
  const verbatim = family === 'agui' || family === 'custom'
  const properties: Record<string, TSchema> = 'properties' in fact.data ? (fact.data.properties as Record<string, TSchema>) : {}
  const names = Object.keys(properties)
  return {
    type,
    family,
    by: fact.by,
    hubFields: fact.hubFields ?? [],
    about: fact.about,
    topics: fact.topics,
    schema: fact.data,
    fields: describeFields(fact.data),
    spellings: new Map(verbatim ? [] : names.map((name) => [snake(name), name] as const).filter(([other, name]) => other !== name)),
    times: verbatim ? [] : names.filter((name) => holdsTime(properties[name]!)),
    check: checker(fact.data),
  }
}

/** Compiled when first needed: a start that checks three types need not compile a hundred. */
function checker(schema: TSchema): Entry['check'] {
  let compiled: ReturnType<typeof Compile> | undefined
  return (data) => {
    compiled ??= Compile(schema)
    return compiled.Check(data) ? undefined : explain('data', compiled.Errors(data))
  }
}

function holdsTime(schema: TSchema): boolean {
  const { pattern, anyOf } = schema as { pattern?: string; anyOf?: TSchema[] }
  return pattern === TIME_PATTERN || (anyOf?.some(holdsTime) ?? false)
}

function snake(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}
