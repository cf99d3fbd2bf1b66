import { readFileSync } from 'node:fs'
import { ALIASES, canonicalType, FAILURES, isFailureCode, TOPIC_FAMILIES } from '@hubbub/protocol'
import { CATALOGUE, findEntry } from '@hubbub/protocol/catalogue'

interface Word {
  name: string
  kind: string
  aliases: string[]
  topics: string[]
  payload: Record<string, string>
}

const words = JSON.parse(readFileSync('shared/vocabulary.json', 'utf8')) as Word[]
const ofKind = (...kinds: string[]) => words.filter((word) => kinds.includes(word.kind))

/** Events of the vocabulary that are messages of the protocol: they stand in no journal and have no schema here. */
const PROTOCOL_MESSAGES = [
  'connection.ping', 'connection.pong', 'hub.error', 'hub.cursor', 'auth.succeeded', 'auth.failed', 'subscription.updated',
]
/** Mail to one agent, which the vocabulary has as commands; and what the hub alone knows and says. */
const ADDED = [
  'agent.forgotten', 'task.delegate', 'task.lease_lost', 'task.cancel_requested', 'execution.cancel', 'task.placed', 'task.forgotten', 'task_type.defined', 'task_type.forgotten',
  'pipeline.forgotten', 'stream.forgotten', 'checkpoint.forgotten', 'command.completed', 'command.failed', 'run.forgotten',
]

describe('the catalogue and the vocabulary', () => {
  it('has a schema for every event and AG-UI event', () => {
    const missing = ofKind('event', 'agui_event').map((word) => word.name).filter((name) => !CATALOGUE.some((entry) => entry.type === name))
    expect(missing.sort()).toEqual([...PROTOCOL_MESSAGES].sort())
  })

  it('has nothing that the vocabulary does not have', () => {
    const known = new Set(ofKind('event', 'agui_event').map((word) => word.name))
    expect(CATALOGUE.map((entry) => entry.type).filter((type) => !known.has(type))).toEqual(ADDED)
  })

  it.each(ofKind('event', 'agui_event').flatMap((word) => word.aliases.filter((alias) => !alias.includes('{')).map((alias) => [alias, word.name] as const)))(
    'takes %s for %s', (alias, name) => {
      expect(canonicalType(alias)).toBe(name === 'custom.{name}' ? 'custom.event' : name)
    })

  it('takes pipeline:<name> for pipeline.<name>', () => {
    expect(canonicalType('pipeline:stage_started')).toBe('pipeline.stage_started')
    expect(findEntry('pipeline.stage_started')?.type).toBe('pipeline.{event}')
  })

  it('knows no alias that the vocabulary does not have', () => {
    const known = new Set(words.flatMap((word) => word.aliases))
    expect(Object.keys(ALIASES).filter((alias) => !known.has(alias))).toEqual([])
  })

  it.each(ofKind('command', 'response').flatMap((word) => word.aliases).filter((alias) => alias !== 'task:delegate' && alias !== 'task:result'))(
    'does not take the command or answer %s for an event', (alias) => {
      expect(canonicalType(alias)).toBeUndefined()
    })

  it('has every field of every payload', () => {
    const missing = ofKind('event', 'agui_event').flatMap((word) => {
      const entry = CATALOGUE.find((candidate) => candidate.type === word.name)
      const fields = new Set(entry?.fields.map((field) => field.name))
      return entry === undefined ? [] : Object.keys(word.payload).filter((field) => !fields.has(field)).map((field) => `${word.name}: ${field}`)
    })
    // The open families: the engine's payload is flattened and its time is the envelope's; a custom event's data is anything.
    expect(missing).toEqual(['pipeline.{event}: payload', 'pipeline.{event}: timestamp', 'custom.{name}: data'])
  })

  it('routes every event to the topics that the vocabulary names', () => {
    const missing = ofKind('event', 'agui_event').flatMap((word) => {
      const entry = CATALOGUE.find((candidate) => candidate.type === word.name)
      return entry === undefined ? [] : word.topics.map(template).filter((topic) => topic !== undefined && !entry.topics.includes(topic)).map((topic) => `${word.name}: ${topic}`)
    })
    expect(missing).toEqual([])
  })

  it('names only fields and topics that exist', () => {
    for (const entry of CATALOGUE) {
      for (const topic of entry.topics) expect(['project', 'system', ...TOPIC_FAMILIES]).toContain(topic.split(':')[0])
      expect(entry.about).toMatch(/^\S.*\.$/)
      expect(entry.fields.every((field) => field.type !== '')).toBe(true)
    }
  })

  it.each(ofKind('error_code'))('has the failure $name', (word) => {
    expect(isFailureCode(word.name)).toBe(true)
    expect(Object.keys(FAILURES)).toContain(word.name)
  })
})

/** The vocabulary's templates in our names; undefined for what is no topic here (`agents` is `agent:*`). */
function template(topic: string): string | undefined {
  if (topic === 'agents') return undefined
  if (topic === 'project:{projectId}') return 'project'
  return topic.replace(' (correlated)', '').replace('{owner}/{repo}', '{repository}').replace('@{ref}', '@{branch}')
    .replace('issue:{repository}#{n}', 'issue:{repository}#{issueNumber}').replace('pr:{repository}#{n}', 'pr:{repository}#{prNumbers}')
}
