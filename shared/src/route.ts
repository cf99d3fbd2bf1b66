/**
 * Topics of an event: those that its type's templates give from its data, then the producer's own. The same event gives the same
 * topics on every worker.
 */
import { findEntry, type Entry } from './catalogue/entries.js'
import type { NormalEvent } from './envelope.js'
import { MAX_TOPICS_OF_EVENT } from './normalise.js'
import { isTopic, topicFamily } from './topics.js'
import { isPlainObject } from './weigh.js'

/** `pipeline:{pipelineId}:stage:{stage}`: literals `pipeline:`, `:stage:`, `` around the fields. */
interface Template {
  literals: readonly string[]
  fields: readonly string[]
}

const TEMPLATES = new WeakMap<Entry, readonly Template[]>()

/** 1 to 16 distinct topics; the bare `project` when nothing else is named. */
export function routeTopics(event: Pick<NormalEvent, 'type' | 'data' | 'topics'>): string[] {
  const entry = findEntry(event.type)
  let topics: string[] = []
  if (entry !== undefined) {
    const data = isPlainObject(event.data) ? event.data : {}
    for (const template of templatesOf(entry)) fill(template, data, 0, template.literals[0]!, topics)
  }
  // Mail goes to its reader alone, whatever else was asked for (I6).
  if (event.type === 'task.delegate' || event.type === 'execution.cancel') return topics
  // What a type tells the whole project is told to nobody else when the producer makes it mail, unless he asks for both (I6).
  if (event.topics.some((topic) => topicFamily(topic) === 'inbox')) topics = topics.filter((topic) => topicFamily(topic) !== topic)
  for (const topic of event.topics) add(topics, topic)
  if (topics.length === 0) topics.push('project')
  return topics
}

function templatesOf(entry: Entry): readonly Template[] {
  let templates = TEMPLATES.get(entry)
  if (templates === undefined) {
    templates = entry.topics.map((text) => {
      const parts = text.split(/\{(\w+)\}/)
      return { literals: parts.filter((_, index) => index % 2 === 0), fields: parts.filter((_, index) => index % 2 === 1) }
    })
    TEMPLATES.set(entry, templates)
  }
  return templates
}

/** Fills the template's fields from `at` on; an absent field gives nothing, a list gives a topic for each of its items. */
function fill(template: Template, data: Record<string, unknown>, at: number, start: string, topics: string[]): void {
  if (at === template.fields.length) return add(topics, start)
  const value = data[template.fields[at]!]
  if (Array.isArray(value)) {
    for (const item of value.slice(0, MAX_TOPICS_OF_EVENT)) extend(template, data, at, start, item, topics)
  } else {
    extend(template, data, at, start, value, topics)
  }
}

function extend(template: Template, data: Record<string, unknown>, at: number, start: string, value: unknown, topics: string[]): void {
  if ((typeof value !== 'string' && typeof value !== 'number') || value === '') return
  fill(template, data, at + 1, `${start}${value}${template.literals[at + 1]!}`, topics)
}

/** Fields that no schema knows may hold anything: what is no topic is no topic of this event. */
function add(topics: string[], topic: string): void {
  if (topics.length < MAX_TOPICS_OF_EVENT && !topics.includes(topic) && isTopic(topic)) topics.push(topic)
}
